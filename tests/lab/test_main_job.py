"""The main job: the reference network comes up, proves itself, and goes away without a trace."""

from __future__ import annotations

import json

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, Lab

pytestmark = pytest.mark.slow(40)


def test_home_reaches_target_and_everything_goes_away_again(lab: Lab) -> None:
    assert not lab.world.ping("home", "10.10.13.61")
    assert lab.world.ask("home", "tcp", "10.10.13.61") == ""

    done = lab.up()

    assert "home -> 10.10.13.61" in done.stdout
    assert lab.world.ping("home", "10.10.13.61", count=3)
    assert lab.world.ask("home", "tcp", "10.10.13.61") == "10.10.13.62 said hello"
    assert lab.world.ask("home", "udp", "10.10.13.61") == "10.10.13.62 said hello"

    again = lab.wgorch("up", INVENTORY)
    assert "No changes." in again.stdout

    lab.wgorch("teardown", INVENTORY, "--yes")
    assert {} == lab.differences()
    assert not lab.world.ping("home", "10.10.13.61")


def test_plan_reads_only(lab: Lab) -> None:
    done = lab.wgorch("plan", INVENTORY, code=2)

    assert "+ interface wg0" in done.stdout
    assert {} == lab.differences(ignore=())


def test_second_up_writes_nothing_and_disturbs_no_session(network: Lab) -> None:
    def state() -> dict[str, str]:
        ask = "find /var/lib/wgorch /etc/systemd/system -newermt @0 -printf '%p %T@ %i\\n' | sort; wg show wg0 latest-handshakes | sort"
        return {host: network.world.sh(host, ask) for host in HOSTS}

    before = state()
    done = network.wgorch("up", INVENTORY)

    assert "No changes." in done.stdout
    assert before == state()


def test_status_is_in_sync_and_json_says_so(network: Lab) -> None:
    status = json.loads(network.wgorch("status", INVENTORY, "--json").stdout)

    assert status["in_sync"] is True
    assert status["hosts"]["home"]["paths"]["company"] == ["bcc"]
    assert {p["name"] for p in status["hosts"]["bcc"]["peers"]} == {"home", "company"}


def test_it_stays_after_a_reboot_of_every_host(network: Lab) -> None:
    for host in HOSTS:
        network.world.reboot(host)

    network.wait(lambda: network.world.ping("home", "10.10.13.61"), 30, "home reaches target after the reboot")
    plan = network.wgorch("plan", INVENTORY)
    assert "No changes." in plan.stdout


def test_a_wireguard_go_that_dies_in_a_change_leaves_nothing_after_the_rollback(lab: Lab) -> None:
    playbooks = lab.with_run("kill -9 $(pidof wireguard-go); sleep 0.2; [ -S /run/wireguard/wg0.sock ]; false", "home")
    lab.wgorch("up", INVENTORY, "--yes", "--playbooks", playbooks, code=5)
    assert lab.is_as_before()
