"""Drop-ins of network managers."""

from __future__ import annotations

from dataclasses import replace

from wgorch.adapters.drop_ins import drop_in_texts
from wgorch.inventory.model import Network

NETWORK = Network("office", ())
BOTH = frozenset({"NetworkManager", "systemd-networkd", "wg-quick"})

UNMANAGED = {
    "/etc/NetworkManager/conf.d/wgorch-office.conf": """\
# wgorch:office: managed by wgorch
[keyfile]
unmanaged-devices+=interface-name:wg0""",
    "/etc/systemd/network/05-wgorch-office.network": """\
# wgorch:office: managed by wgorch
[Match]
Name=wg0

[Link]
Unmanaged=yes""",
}


def test_each_manager_leaves_the_tunnel_alone() -> None:
    assert UNMANAGED == drop_in_texts(NETWORK, BOTH, ("wg0",))


def test_networkd_keeps_the_rules_of_exit_nodes() -> None:
    path = "/etc/systemd/networkd.conf.d/wgorch-office.conf"
    text = "# wgorch:office: keep the rules of exit nodes\n[Network]\nManageForeignRoutingPolicyRules=no"

    assert UNMANAGED | {path: text} == drop_in_texts(replace(NETWORK, exits=True), BOTH, ("wg0",))


def test_a_host_without_them_gets_none() -> None:
    assert {} == drop_in_texts(NETWORK, frozenset({"wg-quick"}), ("wg0",))
