"""Large inventories, as text."""

from __future__ import annotations


def hub(hosts: int, relays: int = 10, *, lans: bool = True) -> str:
    """Relays and their spokes; with a LAN behind each spoke, or without."""
    lines = ["network: {name: large, subnet: 10.64.0.0/16}", "hosts:"]
    for i in range(relays):
        ip = f"198.51.100.{i + 1}"
        lines.append(f'  r{i}: {{ssh: root@{ip}, endpoint: "{ip}:51820", relay: true, address: 10.64.0.{i + 1}}}')
    for i in range(hosts - relays):
        lan = f", subnets: [10.{100 + i // 250}.{i % 250}.0/24]" if lans else ""
        lines.append(f"  h{i}: {{ssh: root@h{i}.example, address: 10.64.{1 + i // 250}.{1 + i % 250}{lan}}}")
    return "\n".join([*lines, *(["verify:", "  - h1 -> 10.100.0.7"] if lans else [])]) + "\n"


def mesh(hosts: int) -> str:
    """Hosts that all reach each other."""
    lines = ["network: {name: mesh, subnet: 10.64.0.0/16}", "hosts:"]
    for i in range(hosts):
        ip = f"198.18.{i // 250}.{1 + i % 250}"
        lines.append(f'  h{i}: {{ssh: root@{ip}, endpoint: "{ip}:51820", address: 10.64.{i // 250}.{1 + i % 250}}}')
    return "\n".join(lines) + "\n"
