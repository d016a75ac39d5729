"""`wgorch trace` names the right host and the right cause, and leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from tests.lab.faults import FAULTS, PAIRS, Fault
from tests.lab.remedies import the_fix_works, traced
from wgorch.rehearsal.snapshot import snapshot

pytestmark = pytest.mark.slow(130)

BY_NAME = {fault.name: fault for fault in FAULTS}


def mended(lab: Lab, *faults: Fault) -> None:
    for fault in faults:
        if fault.mend:
            lab.world.sh(fault.machine, fault.mend)
    lab.up(INVENTORY, "--accept-new-key", "bcc")  # one of the faults is a key that home holds for it


@pytest.mark.parametrize("fault", draw(list(FAULTS), 2), ids=lambda f: f.name)
def test_one_fault_is_named_with_host_and_cause_and_its_fix_works(network: Lab, fault: Fault) -> None:
    the_fix_works(network, fault)


@pytest.mark.parametrize("pair", draw(list(PAIRS), 1), ids=" and ".join)
def test_of_two_faults_the_first_on_the_path_is_named(network: Lab, pair: tuple[str, str]) -> None:
    first, second = (BY_NAME[name] for name in pair)
    for fault in (second, first):
        network.world.sh(fault.machine, fault.make)
    try:
        found = traced(network, code=1)
    finally:
        mended(network, first, second)

    assert (first.host, True) == (found["finding"]["host"], first.says in found["finding"]["problem"]), found


def test_a_healthy_path_is_seen_on_every_interface_and_nothing_stays(network: Lab) -> None:
    before = {host: snapshot(network.world, host) for host in HOSTS}
    found = traced(network, code=0)

    assert found["finding"] is None
    assert all(step["seen"] for step in found["steps"])
    rewritten = [s for s in found["steps"] if s["kind"] == "request" and s["interface"] == "ens192"]
    assert [("10.10.13.62", "10.10.13.61")] == [(s["source"], s["destination"]) for s in rewritten]
    assert {} == {h: d for h in HOSTS if (d := before[h].difference(snapshot(network.world, h)))}


def test_a_failed_verification_names_the_hop(network: Lab) -> None:
    fault = BY_NAME["forwarding off"]
    network.world.sh(fault.machine, fault.make)
    try:
        done = network.wgorch("verify", INVENTORY, code=1)
    finally:
        mended(network, fault)

    assert "✗ bcc: forwarding is off on wg0" in done.stdout


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_port_that_refuses_is_told_from_one_that_is_filtered(network: Lab, kind: str) -> None:
    refused = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, f"--{kind}", "81", code=1).stdout
    assert f"nothing listens on {kind}/81 there; the network is fine" in refused
    assert "does not answer" not in refused
    assert "no reply" not in refused

    drop = f"nft add table inet off; nft add chain inet off in '{{ type filter hook input priority 0; }}'; nft add rule inet off in {kind} dport 81 drop"
    network.world.sh("target", drop)
    try:
        filtered = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, f"--{kind}", "81", code=1).stdout
    finally:
        network.world.sh("target", "nft delete table inet off")
    assert "no reply from 10.10.13.61" in filtered
    assert "listens" not in filtered.replace("listening", "")


def test_a_gateway_that_rejects_is_not_taken_for_the_target(network: Lab) -> None:
    reject = "iptables -I FORWARD -p tcp --dport 82 -j REJECT --reject-with tcp-reset"
    network.world.sh("company", reject)
    try:
        said = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, "--tcp", "82", code=1).stdout
    finally:
        network.world.sh("company", reject.replace("-I", "-D"))
    assert "the network is fine" not in said
    assert "✗ company" in said
