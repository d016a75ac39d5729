"""The scripts that make routers and SSH servers of machines."""

from __future__ import annotations

from wgorch.rehearsal.machine import Machine, PortForward
from wgorch.rehearsal.roles import role_script

NAT = """\
set -e
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
iptables-restore <<'END'
*nat
-A PREROUTING -i wan -p udp --dport 51820 -j DNAT --to-destination 192.168.7.7
-A POSTROUTING -o wan -j MASQUERADE --random-fully
COMMIT
*filter
-A INPUT -i wan -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -i wan -p tcp --dport 22 -j ACCEPT
-A INPUT -i wan -j DROP
-A FORWARD -i wan -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -i wan -m conntrack --ctstate DNAT -j ACCEPT
-A FORWARD -i wan -j DROP
COMMIT
END
ip6tables-restore <<'END'
*filter
-A FORWARD -i wan -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -i wan -j DROP
COMMIT
END"""


def test_a_nat_router_lets_in_what_was_asked_for_and_its_port_forwards() -> None:
    forwards = (PortForward("udp", 51820, "192.168.7.7"),)
    router = Machine("r", (), forwards=True, nat="wan", hard_nat=True, open_tcp_ports=(22,), port_forwards=forwards)

    assert NAT == role_script(router, "KEY")


def test_a_machine_without_a_role_has_no_script() -> None:
    assert "" == role_script(Machine("m", ()), "KEY")


def test_an_ssh_server_has_its_host_key_before_its_configuration() -> None:
    lines = role_script(Machine("m", (), sshd=("Port 2200",)), "KEY").split("\n")

    assert "echo 'KEY' >/root/.ssh/authorized_keys" in lines[1]
    assert lines[2].endswith("-f /etc/ssh/world_host_key")
    assert "Port 2200" in lines
    assert lines[-1].startswith("mkdir -p /run/sshd; /usr/sbin/sshd ")
