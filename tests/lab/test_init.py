"""The first minutes of somebody new: `wgorch init` looks at the machines, and what it writes works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.conftest import Lab, own_lab
from tests.lab.test_ssh_ways import config, on_terminal

MACHINES = ("root@203.0.113.13", "root@192.168.0.9", "root@10.10.13.62")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("init", tmp_path_factory, systemd=False) as lab:
        config(lab, "Host 10.10.13.62 office-gateway\n  HostName 10.10.13.62\n  ProxyJump root@198.51.100.66\n")
        yield lab


def test_what_init_writes_passes_check_and_comes_up(lab: Lab) -> None:
    world, path = lab.world, lab.directory / "proposed.yaml"
    said = lab.wgorch("init", *MACHINES, "-o", path, "--yes").stdout
    assert "bcc (root@203.0.113.13): reachable at 203.0.113.13:51820: public address of an interface" in said
    assert "relay: bcc: hosts without an endpoint reach each other through it" in said
    text = path.read_text()
    path.chmod(0o644)
    assert "subnets: [10.10.13.0/24]      # LAN of ens192" in text
    assert "home -> 10.10.13.1" in text
    lab.wgorch("check", path)
    lab.wgorch("up", path, "--yes")
    assert world.ping("home", "10.10.13.61")
    again = lab.wgorch("init", *MACHINES, "-o", path, "--yes", code=3)
    assert "already exists" in again.stderr
    lab.wgorch("teardown", path, "--yes")


def test_init_asks_on_a_terminal_and_reads_other_files(lab: Lab) -> None:
    path = lab.directory / "asked.yaml"
    answers = {
        "machine:": "root@203.0.113.13\nroot@192.168.0.9\n",
        "Name of the network?": "house",
        "192.168.0.0/24": "n",
    }
    code, shown = on_terminal(lab, "init", "-o", path, answers=answers)
    assert code == 0, shown
    assert "name: house" in path.read_text()
    assert "subnets" not in path.read_text()

    hosts = lab.inventory(
        "[all:vars]\nx=1\n[relay]\npublic ansible_host=203.0.113.13 ansible_user=root\n[sites]\n192.168.0.9 ansible_user=root # home\n",
        "hosts.ini",
    )
    lab.wgorch("init", "--from-ansible", hosts, "-o", lab.directory / "ansible.yaml", "--yes")
    assert "root@203.0.113.13" in (lab.directory / "ansible.yaml").read_text()
    lab.wgorch("init", "--from-ssh-config", "-o", lab.directory / "ssh.yaml", "--yes", code=None)
    assert "office-gateway" in (lab.directory / "ssh.yaml").read_text()

    nobody = lab.wgorch("init", "root@192.0.2.1", "-o", lab.directory / "none.yaml", code=4)
    assert "root@192.0.2.1: cannot connect" in nobody.stderr
