"""The roles of a machine beside its interfaces: router, NAT router, SSH server."""

from __future__ import annotations

from collections.abc import Iterable

from wgorch.rehearsal.handle import START_SSHD
from wgorch.rehearsal.machine import Machine


def role_script(machine: Machine, public_key: str) -> str:
    """The sh script that sets up a machine's roles; empty if it has none. `public_key`: the controller's."""
    script = []
    if machine.sshd is not None:
        script.append(_authorize(public_key))
    if machine.forwards:
        script.append("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
    if machine.nat:
        script += [
            _load("iptables-restore", *_nat(machine, machine.nat)),
            _load("ip6tables-restore", *_filter(machine.nat)),
        ]
    if machine.sshd is not None:
        script.append(_start_sshd(machine.sshd))
    return "\n".join(["set -e", *script]) if script else ""


def _authorize(public_key: str) -> str:
    return f"rm -rf /root/.ssh; mkdir -p -m 700 /root/.ssh; echo '{public_key}' >/root/.ssh/authorized_keys"


def _load(program: str, *rules: str) -> str:
    return "\n".join([f"{program} <<'END'", *rules, "END"])


def _nat(machine: Machine, outer: str) -> list[str]:
    """Masquerade, the port forwards, and a filter that lets in what was asked for."""
    forwards = [
        f"-A PREROUTING -i {outer} -p {f.protocol} --dport {f.port} -j DNAT --to-destination {f.address}"
        for f in machine.port_forwards
    ]
    return [
        "*nat",
        *forwards,
        f"-A POSTROUTING -o {outer} -j MASQUERADE{' --random-fully' if machine.hard_nat else ''}",
        "COMMIT",
        "*filter",
        f"-A INPUT -i {outer} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        *(f"-A INPUT -i {outer} -p tcp --dport {port} -j ACCEPT" for port in machine.open_tcp_ports),
        f"-A INPUT -i {outer} -j DROP",
        f"-A FORWARD -i {outer} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        *([f"-A FORWARD -i {outer} -m conntrack --ctstate DNAT -j ACCEPT"] if forwards else []),
        f"-A FORWARD -i {outer} -j DROP",
        "COMMIT",
    ]


def _filter(outer: str) -> list[str]:
    return [
        "*filter",
        f"-A FORWARD -i {outer} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        f"-A FORWARD -i {outer} -j DROP",
        "COMMIT",
    ]


def _start_sshd(options: Iterable[str]) -> str:
    config = [
        "HostKey /etc/ssh/world_host_key",
        "PidFile /run/world-sshd.pid",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "PrintMotd no",
        "Subsystem sftp internal-sftp",
        *options,
    ]
    return "\n".join(
        [
            # Before the configuration, as snapshots compare the files of /etc that are newer than that.
            "[ -e /etc/ssh/world_host_key ] || ssh-keygen -q -t ed25519 -N '' -C world -f /etc/ssh/world_host_key",
            "cat >/etc/ssh/world_sshd_config <<'END'",
            *config,
            "END",
            START_SSHD,
        ]
    )
