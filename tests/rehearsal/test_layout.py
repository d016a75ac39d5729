"""Where the machines of an inventory's world are, and what is assumed for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.inventory.load import load
from wgorch.rehearsal.layout.layout import lay_out
from wgorch.rehearsal.layout.model import Layout
from wgorch.rehearsal.machine import PortForward, WorldError

ROOT = Path(__file__).parents[2]


def laid_out(tmp_path: Path, hosts: str) -> Layout:
    path = tmp_path / "inventory.yaml"
    relay = "a: {ssh: root@203.0.113.1, endpoint: '203.0.113.1:51820', relay: true}"
    path.write_text(f"network: {{name: net, subnet: 10.99.0.0/24}}\nhosts:\n  {relay}\n  {hosts}\n")
    return lay_out(load(path))


def addresses(layout: Layout) -> dict[str, dict[str, tuple[str, ...]]]:
    return {n: {i.segment: i.addresses for i in m.interfaces} for n, m in layout.machines.items()}


def test_a_host_with_a_public_endpoint_is_in_the_internet(tmp_path: Path) -> None:
    layout = laid_out(tmp_path, "b: {ssh: root@203.0.113.2, endpoint: '203.0.113.2:51820'}")

    assert {"net 203.0.113.0/24": ("203.0.113.2/24",)} == addresses(layout)["b"]
    assert ("203.0.113.3",) == layout.machines["b"].gateways
    assert [] == layout.assumed


def test_a_host_without_one_is_behind_a_nat_router_and_so_is_the_controller(tmp_path: Path) -> None:
    layout = laid_out(tmp_path, "b: {ssh: root@192.168.7.7}")
    there = addresses(layout)

    assert {"lan of b": ("192.168.7.7/24",)} == there["b"]
    assert {"lan of b": ("192.168.7.20/24",)} == there["controller"]
    assert {"lan of b": ("192.168.7.1/24",), "net 198.51.100.0/24": ("198.51.100.34/24",)} == there["b-router"]
    assert "wan" == layout.machines["b-router"].nat


def test_a_router_forwards_a_public_endpoint_to_a_private_host(tmp_path: Path) -> None:
    layout = laid_out(tmp_path, "b: {ssh: root@192.168.7.7, endpoint: '198.51.100.60:51821'}")

    assert (PortForward("udp", 51821, "192.168.7.7"),) == layout.machines["b-router"].port_forwards
    assert ["router 198.51.100.60 forwards UDP 51821 to b"] == layout.assumed


def test_a_jump_host_at_a_public_address_is_the_router(tmp_path: Path) -> None:
    layout = laid_out(tmp_path, "b: {ssh: {host: 192.168.7.7, via: 'root@198.51.100.60:2200'}}")
    router = layout.machines["b-router"]

    assert (("Port 2200",), (2200,)) == (router.sshd, router.open_tcp_ports)
    assert {"203.0.113.1": "a", "192.168.7.7": "b", "198.51.100.60": "b-router"} == layout.ssh


def test_a_jump_host_in_no_lan_of_the_inventory_cannot_be_placed(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"jump host root@10\.77\.0\.1 has a private address, in no LAN"):
        laid_out(tmp_path, "b: {ssh: {host: 192.168.7.7, via: root@10.77.0.1}}")


def test_names_are_given_public_addresses(tmp_path: Path) -> None:
    layout = laid_out(tmp_path, "b: {ssh: root@b.example, endpoint: 'b.example:51820'}")

    assert {"b.example": "192.0.2.13"} == {name: str(ip) for name, ip in layout.names.items()}
    assert {"net 192.0.2.0/24": ("192.0.2.13/24",)} == addresses(layout)["b"]


def test_each_lan_has_a_machine_that_flows_name() -> None:
    layout = lay_out(load(ROOT / "inventory" / "home-company.yaml"))

    assert {"lan of company": ("10.10.13.61/24",)} == addresses(layout)["machine-10-10-13-61"]


@pytest.mark.parametrize("path", sorted((ROOT / "inventory").glob("*.yaml")), ids=lambda path: path.name)
def test_no_two_machines_of_an_example_share_an_address(path: Path) -> None:
    layout = lay_out(load(path))
    used = [(i.segment, a) for m in layout.machines.values() for i in m.interfaces for a in i.addresses]

    assert sorted(set(used)) == sorted(used)
