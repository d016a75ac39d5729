"""Drop-ins that keep NetworkManager and systemd-networkd off the tunnel and its routing policy rules."""

from __future__ import annotations

from wgorch.inventory.model import Network


def drop_in_texts(network: Network, managers: frozenset[str]) -> dict[str, str]:
    """Texts of the files by path; `managers` are the network managers that run on the host."""
    mark, name = f"# wgorch:{network.name}", network.interface
    found = {}
    if "NetworkManager" in managers:
        text = f"{mark}: managed by wgorch\n[keyfile]\nunmanaged-devices+=interface-name:{name}"
        found[f"/etc/NetworkManager/conf.d/wgorch-{network.name}.conf"] = text
    if "systemd-networkd" in managers:
        text = f"{mark}: managed by wgorch\n[Match]\nName={name}\n\n[Link]\nUnmanaged=yes"
        found[f"/etc/systemd/network/05-wgorch-{network.name}.network"] = text
        if network.exits:
            text = f"{mark}: keep the rules of exit nodes\n[Network]\nManageForeignRoutingPolicyRules=no"
            found[f"/etc/systemd/networkd.conf.d/wgorch-{network.name}.conf"] = text
    return found
