"""firewalld is reloaded only where that loses nothing of others."""

from __future__ import annotations

import pytest

from tests.host.room import Room

ZONES = """
public (active)
  interfaces: eth0
  ports: 22/tcp
  rule family="ipv4" source address="192.0.2.0/24" accept
wgo-office
  interfaces: wg0
  ports: 51820/udp
"""


def listing(zones: str) -> str:
    return f"case $* in *--list-all-zones*) cat <<'END'\n{zones}\nEND\n;; esac"


@pytest.fixture
def host(room: Room) -> Room:
    """Run-time and permanent state are the same; nothing else has rules."""
    (room.place / "proc").mkdir(exist_ok=True)
    for name in ("firewall-cmd", "firewall-offline-cmd"):
        room.stub(name, listing(ZONES))
    for name in ("iptables-save", "ip6tables-save"):
        room.stub(name, "")
    return room


def asked(host: Room) -> tuple[int, str]:
    said = host.run("may_reload wgo-office wg0")
    return host.status, said.strip()


def test_a_reload_that_loses_nothing_is_allowed(host: Room) -> None:
    assert asked(host) == (0, "")


def test_settings_of_the_network_itself_do_not_count(host: Room) -> None:
    host.stub("firewall-offline-cmd", listing(ZONES.partition("wgo-office")[0]))

    assert asked(host) == (0, "")


@pytest.mark.parametrize(
    ("running", "permanent", "said"),
    [
        ("22/tcp 80/tcp", "22/tcp", "would lose what is set but not permanent: public ports: 80/tcp (keep it"),
        (
            "22/tcp",
            "22/tcp 80/tcp",
            "would bring what is permanent but not in use yet: public ports: 80/tcp (firewall-cmd",
        ),
    ],
    ids=["only set", "only permanent"],
)
def test_a_reload_that_changes_what_others_set_is_refused(host: Room, running: str, permanent: str, said: str) -> None:
    host.stub("firewall-cmd", listing(ZONES.replace("22/tcp", running)))
    host.stub("firewall-offline-cmd", listing(ZONES.replace("22/tcp", permanent)))
    status, told = asked(host)

    assert status == 1
    assert said in told


def test_zones_of_interfaces_do_not_count_where_networkmanager_sets_them(host: Room) -> None:
    host.stub("firewall-offline-cmd", listing(ZONES.replace("eth0", "")))
    assert asked(host)[0] == 1
    host.write("proc/123/comm", "NetworkManager\n")

    assert asked(host) == (0, "")


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("-A INPUT -s 192.0.2.1/32 -j DROP", 1),
        ('-A FORWARD -m comment --comment "wgorch:office" -j wgorch-office-fwd', 0),
        ("-A FORWARD -j DOCKER-USER", 0),
        ("-A FORWARD -i docker0 -o docker0 -j ACCEPT", 0),
        ("-A DOCKER-USER -j RETURN", 0),
        ("-A DOCKER-USER -s 192.0.2.1/32 -j DROP", 1),
    ],
)
def test_rules_of_others_in_iptables_would_be_flushed_but_docker_restores_its_own(
    host: Room, rule: str, status: int
) -> None:
    host.stub("iptables-save", f"cat <<'END'\n*filter\n{rule}\nCOMMIT\nEND")
    found, told = asked(host)

    assert found == status
    assert (rule in told) == bool(status)
