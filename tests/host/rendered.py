"""Whole programs as hosts get them, and the same with the comments of their sources, which hold directives for shellcheck."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from tests.host.functions import FUNCTION
from tests.trace.recordings import recorded
from wgorch.apply import direct
from wgorch.apply.scripts import apply_script
from wgorch.base.assets import asset
from wgorch.gather.gather import Ask, asking, questions
from wgorch.host import programs
from wgorch.host.library import OFTEN_NEEDED, PRELUDE, SELDOM_NEEDED, library
from wgorch.inventory.load import load, loads
from wgorch.plan.host import HostPlan
from wgorch.plan.playbook import load_all
from wgorch.remote import root
from wgorch.run import Run
from wgorch.steps.startup import failover_script, watch_script
from wgorch.steps.target import Target
from wgorch.topology.topology import build
from wgorch.trace import doctor_facts, observe
from wgorch.trace.probe import Probe
from wgorch.verify import measure

INVENTORY = Path(__file__).parents[2] / "inventory" / "home-company.yaml"
HOST = Path(__file__).parents[2] / "wgorch" / "host"


def sources() -> list[Path]:
    """Every sh file of the package."""
    return sorted(HOST.parent.rglob("*.sh"))


def host_plan() -> HostPlan:
    """The plan of a gateway of the reference inventory whose masquerading is gone."""
    inventory, nothing = load(INVENTORY), None
    run = Run(inventory, nothing, nothing, load_all(inventory.path, None))  # type: ignore[arg-type]
    run.seen = recorded("no masquerade")[0]
    return run.plans()["company"]


def _watch() -> str:
    hosts = loads(
        "network: {name: office, subnet: 192.168.2.0/24}\nhosts:\n"
        '  bcc: {ssh: root@203.0.113.13, endpoint: "bcc.example:38371", relay: true}\n'
        "  home: {ssh: root@192.168.0.9}\n"
    )
    return watch_script(Target(build(hosts).desired("home"), recorded("healthy")[0]["home"], {}))


def _failover(host: str) -> str:
    topology = build(load(INVENTORY.parent / "two-relays.yaml"))
    return failover_script(Target(topology.desired(host), recorded("healthy")[0]["home"], {}))


def _observed(protocol: str) -> str:
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), protocol, 443, full_size=1400)
    return observe.script(probe, "abcd", ("wg0",), (51820,), "", pcap=protocol == "tcp")


@cache
def rendered() -> dict[str, str]:
    """Programs by name, as they are sent to a host or written there."""
    plan = host_plan()
    ask = Ask((51820,), key_source=("cat", "/etc/key"), mtu_targets=("192.0.2.1", "relay.example"))
    applying, pieces = apply_script(load(INVENTORY).network.directory, "one", 60, plan)
    return {
        "boot": plan.boot.text,
        "do": plan.do_program.text,
        "undo": plan.undo_program.text,
        "stay": plan.stay_program.text,
        "probe": plan.probe,
        "apply": "\n".join([*pieces.values(), applying]),
        "referee": programs.referee(),
        "facts": "\n".join([*asking().values(), questions(load(INVENTORY).network, ask)]),
        "watch": _watch(),
        "failover of a spoke": _failover("home"),
        "failover of a relay": _failover("bcc"),
        "measure": measure.script(
            ("wg0",),
            measure.Targets([ip_address("192.168.2.1"), ip_address("fd00::1")], [ip_address("fd00::1")], []),
            1420,
            20,
        ),
        "observe": _observed("icmp"),
        "observe tcp": _observed("tcp"),
        "doctor": doctor_facts.script(["relay.example"]),
        "wait_handshake": direct.wait_program("wg0", ["k" * 42 + "A="]),
        "discover": programs.uploaded("discover.sh"),
        "become_root": root.careful_shell("n"),
        "sudo_password": root.careful_shell("n"),
        "snapshot": programs.uploaded("snapshot.sh"),
    }


@cache
def _source_functions() -> dict[str, str]:
    files = ("prelude.sh", *(f"lib/{name}.sh" for name in (*OFTEN_NEEDED, *SELDOM_NEEDED)))
    text = "\n".join(asset("host", file) for file in files)
    found = re.findall(r"^((?:#[^\n]*\n)*([a-z_0-9]+)\(\) \{.*?^\}$)", text, re.M | re.S)
    return {PRELUDE: FUNCTION.sub("", asset("host", "prelude.sh"))} | {name: function for function, name in found}


def commented(script: str) -> str:
    """A script of a change with its functions as they stand in their files."""
    for name, function in _source_functions().items():
        script = script.replace(library()[name], function)
    return script
