"""The job that all runners do."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.job import files, nodes
from benchmarks.phases import sums
from wgorch.inventory.load import load
from wgorch.topology.path import unreachable_flows
from wgorch.topology.topology import build


def test_the_inventory_of_a_benchmark_is_valid_and_each_spoke_reaches_the_next_lan(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(files(nodes(5), "bench", jump=True)["inventory.yaml"])
    inventory = load(path)

    assert {"h1": "10.100.2.1", "h2": "10.100.3.1", "h3": "10.100.4.1", "h4": "10.100.1.1"} == {
        flow.source: str(flow.address) for flow in inventory.verify
    }
    assert [] == unreachable_flows(build(inventory))
    assert {"bench"} == {host.ssh.user for host in inventory.hosts.values()}
    assert {"198.18.0.9"} == {hop.host for host in inventory.hosts.values() for hop in host.ssh.via}


def test_every_runner_is_given_the_same_hosts() -> None:
    made = files(nodes(3), "root")

    assert ["198.18.1.250", "198.18.1.1", "198.18.1.2"] == [n["ssh"] for n in json.loads(made["hosts.json"])["nodes"]]
    assert "hosts = (['198.18.1.250', '198.18.1.1', '198.18.1.2'], {'ssh_user': 'root'})\n" == made["pyinfra.py"]
    assert "h1 ansible_host=198.18.1.1 address=10.99.0.2 lan=10.100.1.0/24 next_lan=10.100.2.1\n" in made["hosts.ini"]


def test_cpu_time_between_two_notes_is_that_of_the_first_one() -> None:
    hub, spoke = nodes(2)
    log = "1000 in login\n3000 in read\n7000 after all"

    assert {"in login": [2.0, 2.0], "in read": [4.0, 4.0]} == sums([(hub, log), (spoke, log)])
