"""A plan that was written to a file: what was reviewed is what runs, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY

pytestmark = pytest.mark.slow(90)

TARGET = "10.10.13.61"


def planned(lab: Lab, inventory: Path = INVENTORY, *options: str) -> tuple[Path, dict[str, Any]]:
    """A plan file, and what is in it."""
    file = lab.directory / "change.plan"
    file.unlink(missing_ok=True)
    lab.wgorch("plan", inventory, "-o", file, *options, code=2)
    found: dict[str, Any] = json.loads(file.read_text())
    return file, found


def test_what_was_planned_is_what_runs(lab: Lab) -> None:
    lab.up()
    inventory = lab.edited(("38371", "38372"))
    file, data = planned(lab, inventory)
    assert "change.plan" not in lab.wgorch("show", file).stdout
    shown = lab.wgorch("show", file).stdout
    told = lab.wgorch("plan", inventory, code=2).stdout
    assert [line for line in told.splitlines() if not line.startswith("note: ")] == [
        line for line in shown.splitlines() if not line.startswith(("note: ", "made by "))
    ]
    inventory.write_text("gone")  # the file has its own

    for name in HOSTS:
        # The scripts go when a change is finished: one that is held has them.
        assert data["hosts"][name]["programs"]["do"], name
    lab.wgorch("apply", file, "--yes", "--hold", "60s", code=8)
    for name, its in data["hosts"].items():
        for program in ("do", "undo"):
            written = lab.world.sh(name, f"cat /var/lib/wgorch/office/{program}")
            assert written.strip() == its["programs"][program].strip(), f"{name}: {program}"
        assert its["programs"]["boot"].strip() == lab.world.sh(name, "cat /var/lib/wgorch/office/pending").strip()
    lab.wgorch("confirm", lab.edited(("38371", "38372")))
    assert lab.world.ping("home", TARGET)
    assert "No changes." in lab.wgorch("up", lab.edited(("38371", "38372")), "--yes").stdout
    refused = lab.wgorch("apply", file, "--yes", code=4).stderr
    assert "bcc: cannot apply the plan: changed since the plan was made: " in refused


def test_a_first_plan_is_applied_with_keys_born_meanwhile(lab: Lab) -> None:
    file, data = planned(lab)
    assert "private" not in json.dumps(data["hosts"]["home"]["rests_on"])
    lab.wgorch("apply", file, "--yes")
    assert lab.world.ping("home", TARGET)
    assert "No changes." in lab.wgorch("up", INVENTORY, "--yes").stdout
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert {} == lab.differences(ignore=KEYS_STAY)


PEER = "$(wg show wg0 peers | head -1)"
OWN = "/var/lib/wgorch/office"
UNIT = "/etc/systemd/system/wgorch-office.service"
MOVED: dict[str, tuple[str, str, str]] = {
    "a peer more": ("bcc", "wg set wg0 peer $(wg genkey | wg pubkey) allowed-ips 10.98.0.1/32", "peers wg0"),
    "an endpoint": ("home", f"wg set wg0 peer {PEER} endpoint 203.0.113.99:1", "peers wg0"),
    "no allowed-ips": ("company", f"wg set wg0 peer {PEER} allowed-ips ''", "peers wg0"),
    "another key": ("home", "wg genkey >/run/k; wg set wg0 private-key /run/k; rm /run/k", "interfaces wg0"),
    "a firewall mark": ("home", "wg set wg0 fwmark 0x33", "interfaces wg0"),
    "the interface is gone": ("home", "ip link del wg0", "interfaces wg0"),
    "the interface is another's": ("home", "ip link set wg0 alias other", "wg0 belongs to other"),
    "the interface is unmarked": ("company", "ip link set wg0 alias ''", "but not its mark"),
    "a prefix": (
        "home",
        "ip addr del 192.168.2.2/24 dev wg0; ip addr add 192.168.2.2/25 dev wg0",
        "addresses wg0 192.168.2.2/25",
    ),
    "a route more": ("home", "ip route add 10.77.0.0/24 dev wg0 proto 119", "routes wg0 10.77.0.0/24"),
    "a route that leads elsewhere": ("home", "ip route replace 10.10.13.0/24 dev wlp2s0", "dev wlp2s0 exists already"),
    "forwarding of the LAN": (
        "company",
        "sysctl -qw net.ipv4.conf.ens192.forwarding=0",
        "sysctls net/ipv4/conf/ens192/forwarding",
    ),
    "a path filter": ("bcc", "sysctl -qw net.ipv4.conf.wg0.rp_filter=1", "sysctls net/ipv4/conf/wg0/rp_filter"),
    "a rule before ours": ("company", "iptables -t nat -I wgorch-office-nat -j RETURN", "chains wgorch-office-nat"),
    "the segments' rule": ("company", "iptables -t mangle -F wgorch-office-mss", "chains wgorch-office-mss"),
    "a chain is gone": (
        "company",
        "iptables -F FORWARD; iptables -F wgorch-office-fwd; iptables -X wgorch-office-fwd",
        "chains wgorch-office-fwd",
    ),
    "the jump to forwarding": ("company", "iptables -F FORWARD", "jumps wgorch-office-fwd"),
    "the jump to masquerading": ("company", "iptables -t nat -F POSTROUTING", "jumps wgorch-office-nat"),
    "the port's rule": ("bcc", "iptables -F wgorch-office-in", "chains wgorch-office-in"),
    "a rule without its mark": (
        "bcc",
        "iptables -R wgorch-office-in 1 -p udp --dport 38371 -j ACCEPT",
        "chains wgorch-office-in",
    ),
    "the unit": ("home", f"echo '# x' >>{UNIT}", "units"),
    "the unit is disabled": ("home", "systemctl disable -q wgorch-office 2>/dev/null", "units"),
    "the boot script": ("home", f"echo '# x' >>{OWN}/boot", "boot script"),
    "the record of the members": ("bcc", f"sed -i s/192.168.2.2/192.168.2.8/ {OWN}/members", "members"),
    "the record is gone": ("bcc", f"rm {OWN}/members", "members"),
    "what was there is gone": ("company", f"rm {OWN}/recorded", "created_tables"),
    "wireguard-go is gone": ("home", "pkill -x wireguard-go; sleep 0.3", "interfaces wg0"),
    "a directory that others may write": ("home", f"chmod 777 {OWN}", "can be written by others"),
    "the key is gone": ("home", f"rm {OWN}/private_key", "keys"),
    "the key is another": ("home", f"umask 077; wg genkey >{OWN}/private_key", "it shows the key"),
    "an address": ("home", "ip addr add 192.168.2.77/32 dev wg0", "addresses wg0 192.168.2.77/32"),
    "an address is gone": ("company", "ip addr flush dev wg0", "addresses wg0"),
    "a peer is gone": ("bcc", "wg set wg0 peer $(wg show wg0 peers | head -1) remove", "peers wg0"),
    "allowed-ips": (
        "home",
        "wg set wg0 peer $(wg show wg0 peers | head -1) allowed-ips 10.99.0.0/24",
        "peers wg0",
    ),
    "a keepalive": ("home", "wg set wg0 peer $(wg show wg0 peers | head -1) persistent-keepalive 99", "peers wg0"),
    "a route is gone": ("home", "ip route del 10.10.13.0/24 dev wg0", "routes wg0"),
    "a port": ("company", "wg set wg0 listen-port 40000", "interfaces wg0"),
    "an MTU": ("home", "ip link set wg0 mtu 1300", "interfaces wg0"),
    "the interface is down": ("home", "ip link set wg0 down", "interfaces wg0"),
    "a rule is gone": ("company", "iptables -t nat -F wgorch-office-nat", "chains wgorch-office-nat"),
    "a jump is gone": ("bcc", "iptables -F INPUT", "jumps wgorch-office-in"),
    "a foreign rule in a chain": ("bcc", "iptables -A wgorch-office-fwd -j DROP", "chains wgorch-office-fwd"),
    "forwarding": ("company", "sysctl -qw net.ipv4.conf.wg0.forwarding=0", "sysctls net/ipv4/conf/wg0/forwarding"),
    "the boot script is gone": ("home", "rm /var/lib/wgorch/office/boot", "boot script"),
    "the unit is gone": ("home", "rm /etc/systemd/system/wgorch-office.service", "units"),
}


@pytest.mark.parametrize("moved", draw(list(MOVED), 4))
def test_what_moved_since_is_refused_by_host_and_object(lab: Lab, moved: str) -> None:
    host, command, named = MOVED[moved]
    lab.up()
    file, _ = planned(lab, lab.edited(("38371", "38372")))
    lab.world.sh(host, command)
    before = {name: lab.world.sh(name, f"ls -l --time-style=full-iso {OWN}") for name in HOSTS}

    refused = lab.wgorch("apply", file, "--yes", code=4).stderr
    assert f"{host}: cannot " in refused
    assert named in refused, (moved, refused)
    assert before == {name: lab.world.sh(name, f"ls -l --time-style=full-iso {OWN}") for name in HOSTS}


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _edited(text: str) -> str:
    return text.replace("38371", "38373", 1)


SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "cut": (_cut, "is no plan of wgorch, or was cut"),
    "edited": (_edited, "was edited or cut since it was made"),
    "another format": (lambda text: text.replace('"format": 1', '"format": 2', 1), "is a plan of format 2"),
    "another file": (lambda _text: "hosts: {}\n", "is no plan of wgorch"),
}


def test_what_is_no_whole_plan_is_refused(lab: Lab) -> None:
    file, _ = planned(lab)
    text = file.read_text()
    for spoil, said in SPOILT.values():
        file.write_text(spoil(text))
        assert said in lab.wgorch("apply", file, "--yes", code=3).stderr
        assert said in lab.wgorch("show", file, code=3).stderr
    assert {} == lab.differences()


def test_a_host_that_is_off_is_no_part_of_a_plan(lab: Lab) -> None:
    lab.up()
    file, _ = planned(lab, lab.edited(("38371", "38372")))
    lab.world.power_off("home")
    refused = lab.wgorch("apply", file, "--yes", code=4).stderr
    lab.world.power_on("home")
    assert "home: cannot apply the plan: it is part of the plan, and is not reached" in refused


def test_a_plan_from_facts_is_the_plan_of_that_moment(lab: Lab) -> None:
    lab.up()
    inventory, facts = lab.edited(("38371", "38372")), lab.directory / "facts"
    lab.wgorch("facts", inventory, "-o", facts)
    assert sorted(path.name for path in facts.iterdir()) == sorted(f"{name}.json" for name in HOSTS)
    live = lab.wgorch("plan", inventory, "--json", code=2).stdout
    file = lab.directory / "change.plan"
    for name in HOSTS:
        lab.world.power_off(name)
    done = lab.wgorch("plan", inventory, "--facts", facts, "--json", "-o", file, code=2)
    for name in HOSTS:
        lab.world.power_on(name)
    assert json.loads(live) == json.loads(done.stdout)
    assert f"facts: {facts}, " in done.stderr

    said = lab.wgorch("plan", inventory, "--facts", facts, "--max-age", "0s", code=3).stderr
    assert " old, and --max-age is 0 s" in said
    (facts / "home.json").write_text((facts / "bcc.json").read_text())
    said = lab.wgorch("plan", inventory, "--facts", facts, code=3).stderr
    assert "home.json has the facts of 'bcc'" in said
    (facts / "home.json").unlink()
    said = lab.wgorch("plan", inventory, "--facts", facts, code=2).stdout
    assert "absent: home: cannot read facts: " in said

    lab.wait(lambda: lab.world.ping("home", TARGET), 30, "home reaches target after the reboot")
    lab.wgorch("apply", file, "--yes")
    assert lab.world.ping("home", TARGET)


def test_the_pipeline_of_the_documentation_works(lab: Lab) -> None:
    page = (ROOT / "docs" / "review.md").read_text().partition("## In a pipeline")[2]
    commands = [
        line.strip().partition("  #")[0].split() for line in page.splitlines() if line.startswith("    wgorch ")
    ]
    assert ["check", "plan", "show", "apply", "status", "facts", "plan"] == [words[1] for words in commands]
    text = INVENTORY.read_text()
    for words in commands:
        if words[1] == "facts":
            text = text.replace("38371", "38372")
        lab.inventory(text)
        at = [
            str(lab.directory / word) if word in ("inventory.yaml", "change.plan", "facts") else word
            for word in words[2:]
        ]
        lab.wgorch(words[1], *at, code=2 if words[1] == "plan" else 0)
