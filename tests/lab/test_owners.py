"""Docker and ufw on a host: what they would drop passes, their rules stay as they are, also over their restarts.

Docker stands on company (the LAN's gateway), ufw on company and on bcc (the relay).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.conftest import INVENTORY, Lab
from tests.lab.test_firewalls import ALL, TARGET, lab, passes

pytestmark = [pytest.mark.slow(50), pytest.mark.drawn(1)]

__all__ = ["lab"]

OWNERS = Path(__file__).parent / "owners"


STATE = "ip -o -4 addr | sed 's/^[0-9]*: //' | sort; sysctl net.ipv4.ip_forward net.ipv4.conf.ens192.forwarding"
"""Addresses, by names: their numbers are in the order in which a start made the links."""


def owner(lab: Lab, host: str, name: str, given: str = "") -> None:
    """Set up who owns the firewall of a host."""
    lab.world.sh(host, f"{given}\n{(OWNERS / f'{name}.sh').read_text()}", timeout=120)


def rules(lab: Lab, host: str) -> str:
    """All rules of iptables there, without their counters."""
    return lab.world.sh(host, "{ iptables-save; ip6tables-save; } | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]/[0:0]/'")


def without_ours(lab: Lab, host: str) -> str:
    return "\n".join(line for line in rules(lab, host).split("\n") if "wgorch" not in line)


CUT_JUMP = "iptables -D FORWARD -m comment --comment wgorch:office -j wgorch-office-fwd"


DOCKER = "/usr/bin/docker"


C1 = f"{DOCKER} run -d --name c1 -v /usr:/usr:ro wgbox /bin/sleep infinity"


def run_containers(lab: Lab, host: str, *lines: str) -> None:
    lab.world.sh(host, "\n".join([(OWNERS / "image.sh").read_text(), *lines]), timeout=60)


def appended(text: str) -> list[str]:
    """The rules in what iptables-save said, and policies that are not ACCEPT."""
    return sorted(line for line in text.split("\n") if line[:1] in ("-", ":") and "ACCEPT [0:0]" not in line)


@pytest.mark.kind("Docker (its chains, FORWARD's policy DROP)", "works", "its own chain also in DOCKER-USER")
def test_docker(lab: Lab) -> None:
    world = lab.world
    owner(lab, "company", "docker")
    # What people do to keep the world from their published ports; target's answers come in by that card, too.
    world.sh("company", "iptables -I DOCKER-USER -i ens192 -j DROP")
    run_containers(lab, "company", C1)
    before, files = (
        rules(lab, "company"),
        world.sh("company", STATE),
    )
    told = lab.up().stdout
    assert re.search(r"note: .*\bcompany: firewall: Docker: a chain beside Docker's, which its restart keeps", told)
    assert ALL == passes(lab)
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout

    world.sh("company", "systemctl restart docker.service", timeout=60)
    assert ALL == passes(lab)
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    world.sh("company", f"{DOCKER} start c1 >/dev/null; {DOCKER} exec c1 ping -n -c 1 -W 2 192.168.2.1")

    # Without our rules Docker lets none of it pass.
    world.sh("company", f"{CUT_JUMP}; iptables -D DOCKER-USER -m comment --comment wgorch:office -j wgorch-office-usr")
    assert {"ping": False, "tcp": False, "udp": False} == passes(lab)
    lab.up()
    assert ALL == passes(lab)

    world.reboot("company")
    lab.wait(lambda: passes(lab) == ALL, 60, "it comes back")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes")
    after = appended(rules(lab, "company"))
    assert [
        r for r in appended(before) if r != "-A DOCKER-USER -i ens192 -j DROP"
    ] == after  # that one was not kept by its maker
    assert files == world.sh("company", STATE)


def test_docker_that_came_after_us_keeps_its_forwarding(lab: Lab) -> None:
    """Its first start lets all cards forward; to give our card back as it was before would cut its containers off."""
    world = lab.world
    lab.up()
    owner(lab, "company", "docker")
    run_containers(lab, "company", C1)
    assert ALL == passes(lab)
    lab.up()
    assert ALL == passes(lab)
    told = lab.wgorch("teardown", INVENTORY, "--yes").stdout
    assert "net.ipv4.conf.ens192.forwarding was 0; forwarding was enabled for all interfaces since: left alone" in told
    world.sh("company", f"{DOCKER} exec c1 ping -n -c 1 -W 2 10.10.13.61")


BOX = (
    f"{DOCKER} run -d --name box --cap-add NET_ADMIN --device /dev/net/tun --security-opt systempaths=unconfined"
    " -v /usr:/usr:ro wgbox /bin/sleep infinity"
)


@pytest.mark.kind(
    "a Docker container as a host (`enter: [docker, exec, -i, NAME]`)", "works", "with NET_ADMIN; refused without"
)
def test_a_container_as_a_host(lab: Lab) -> None:
    world = lab.world
    owner(lab, "home", "docker")
    poor = BOX.replace("box", "poor", 1).replace("--cap-add NET_ADMIN ", "")
    run_containers(lab, "home", BOX, poor)
    home = "    ssh: root@192.168.0.9\n"
    inside = lab.edited((home, f"{home}    enter: [{DOCKER}, exec, -i, box]\n"))
    lab.wgorch("up", inside, "--yes")
    world.sh("home", f"{DOCKER} exec box ping -n -c 1 -W 2 {TARGET}")
    assert not world.ping("home", TARGET)
    assert "No changes." in lab.wgorch("plan", inside).stdout
    lab.wgorch("teardown", inside, "--yes")
    without = lab.edited((home, f"{home}    enter: [{DOCKER}, exec, -i, poor]\n"))
    refused = lab.wgorch("up", without, "--yes", code=4).stderr
    assert "home: cannot change the network: root lacks CAP_NET_ADMIN" in refused


@pytest.mark.kind(
    "ufw, incoming and routed denied",
    "works with a limit",
    "its files stay untouched; with MANAGE_BUILTINS=yes its reload ends wgorch's rules, and the plan says so",
)
def test_ufw(lab: Lab) -> None:
    world = lab.world
    for host in ("company", "bcc"):
        owner(lab, host, "ufw")
    before = {host: without_ours(lab, host) for host in ("company", "bcc")}
    kept = {host: world.sh(host, "cd /etc/ufw && sha256sum *.rules; sha256sum /etc/default/ufw") for host in before}
    told = lab.up().stdout
    assert re.search(r"note: .*\bcompany: firewall: ufw: a chain before ufw's own, which its reload keeps", told)
    assert ALL == passes(lab)
    for reload in (
        "ufw reload",
        "ufw disable; ufw --force enable",
        "systemctl restart ufw",
        "ufw allow 12345/tcp; ufw delete allow 12345/tcp",
    ):
        for host in before:
            world.sh(host, reload)
        assert ALL == passes(lab), reload
        assert "No changes." in lab.wgorch("plan", INVENTORY).stdout, reload

    # Without our jump ufw lets a forwarded ping through, and nothing else.
    world.sh("company", CUT_JUMP)
    assert {"ping": True, "tcp": False, "udp": False} == passes(lab)
    lab.up()
    world.reboot("company")
    lab.wait(lambda: passes(lab) == ALL, 60, "it comes back")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout

    lab.wgorch("teardown", INVENTORY, "--yes")
    for host, text in before.items():
        assert appended(text) == appended(rules(lab, host))
        assert kept[host] == world.sh(host, "cd /etc/ufw && sha256sum *.rules; sha256sum /etc/default/ufw")


def test_a_ufw_that_flushes_is_named(lab: Lab) -> None:
    owner(lab, "company", "ufw", "builtins=yes")
    told = lab.up().stdout
    assert "note: company: a reload of ufw empties wgorch's chains: set MANAGE_BUILTINS=no" in told
    assert ALL == passes(lab)
    lab.world.sh("company", "ufw reload")
    assert not passes(lab)["tcp"]
    lab.up()
    assert ALL == passes(lab)
