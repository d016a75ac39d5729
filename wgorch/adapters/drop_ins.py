"""Drop-ins that keep NetworkManager and systemd-networkd off the tunnel and its routing policy rules."""

from __future__ import annotations

from wgorch.inventory.model import Network


def drop_in_texts(network: Network, managers: frozenset[str], interfaces: tuple[str, ...]) -> dict[str, str]:
    """Texts of the files by path; `managers`: the network managers that run on the host; `interfaces`: the network's there."""
    mark = f"# wgorch:{network.name}"
    found = {}
    if "NetworkManager" in managers:
        text = f"{mark}: managed by wgorch\n[keyfile]\nunmanaged-devices+="
        text += ";".join(f"interface-name:{name}" for name in interfaces)
        found[f"/etc/NetworkManager/conf.d/wgorch-{network.name}.conf"] = text
    if "systemd-networkd" in managers:
        text = f"{mark}: managed by wgorch\n[Match]\nName={' '.join(interfaces)}\n\n[Link]\nUnmanaged=yes"
        found[f"/etc/systemd/network/05-wgorch-{network.name}.network"] = text
        if len(interfaces) > 1:
            text = f"{mark}: keep the rules and nexthops of several relays\n[Network]\n"
            text += "ManageForeignRoutingPolicyRules=no\nManageForeignNextHops=no"
            found[f"/etc/systemd/networkd.conf.d/wgorch-{network.name}.conf"] = text
        elif network.exits:
            text = f"{mark}: keep the rules of exit nodes\n[Network]\nManageForeignRoutingPolicyRules=no"
            found[f"/etc/systemd/networkd.conf.d/wgorch-{network.name}.conf"] = text
    return found
