"""What is dumped loads to the same inventory again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from wgorch.inventory.assign import assign
from wgorch.inventory.dump import dump
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Inventory, SshTarget

ROOT = Path(__file__).parents[2]

EVERYTHING = """
network: {name: all, subnet: [10.9.0.0/24, 'fd00::/64'], interface: wg7, mtu: 1400, preshared_keys: {over_classical: false},
          persistent_keepalive: 0, listen_port: 40000, ssh: {client: openssh}, direct: try}
hosts:
  hub: {ssh: 'root@[2001:db8::1]:2222', endpoint: '[2001:db8::1]:51820', relay: true, host_key: 'SHA256:aKFzAswAxsRDUWJ8CMpGpvdGvYTu0AIrAqoxVQXmqXI'}
  site:
    ssh: {host: 'fe80::1', user: 'me', via: [hub, {host: 10.1.1.1, user: x, port: 23}], client: paramiko}
    subnets: [172.16.0.0/24, {lan: 10.10.13.0/24, as: 10.99.13.0/24}]
    lan_interface: eth7
    behind: other
    masquerade: false
    wireguard_go: false
    listen_port: 999
    mtu: 1300
    persistent_keepalive: 7
    exit: hub
    dns: [9.9.9.9, '2620:fe::fe']
    private_key: {command: [pass, show, wg]}
    enter: [docker, exec, -i, web]
  here: {ssh: local, address: 10.9.0.77, single_address: true}
  other: {ssh: root@192.0.2.77, subnets: [10.77.0.0/24]}
  cloud: {ssh: root@203.0.113.9, endpoint: '203.0.113.9:51820'}
devices:
  phone: {exit: hub, dns: [9.9.9.9], persistent_keepalive: 3}
  router: {subnets: [192.168.178.0/24], endpoint: '198.51.100.9:4500', listen_port: 4501}
links: [site -x- cloud]
verify: [hub -> site, site -> 10.9.0.77]
"""


def without_identity(inventory: Inventory) -> Inventory:
    """What a record keeps: nothing of one person's machine, and addresses as if the file gave them."""

    def target(ssh: SshTarget) -> SshTarget:
        return replace(ssh, identity=None, via=tuple(map(target, ssh.via)))

    hosts = {n: replace(h, ssh=target(h.ssh), given=h.addresses) for n, h in inventory.hosts.items()}
    # The port of a device is its own affair.
    devices = {
        n: replace(d, given=d.addresses, listen_port=d.listen_port if d.endpoint else 51820)
        for n, d in inventory.devices.items()
    }
    return replace(inventory, path="", hosts=hosts, devices=devices)


def again(inventory: Inventory, text: str) -> None:
    loaded = replace(assign(loads(text)), path="")

    assert loaded.network == inventory.network
    assert loaded.hosts == without_identity(inventory).hosts
    assert loaded.devices == without_identity(inventory).devices
    assert loaded.links == inventory.links
    assert loaded.verify == inventory.verify


@pytest.mark.parametrize("path", sorted((ROOT / "inventory").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_survives(path: Path) -> None:
    inventory = assign(load(path))
    again(inventory, json.dumps(dump(inventory)))
    again(inventory, yaml.safe_dump(dump(inventory), sort_keys=False))


def test_every_field_survives() -> None:
    inventory = assign(loads(EVERYTHING))
    again(inventory, json.dumps(dump(inventory)))


def test_a_key_file_of_the_controller_is_left_out() -> None:
    text = EVERYTHING.replace("user: 'me'", "user: 'me', identity: /home/me/secret")
    assert "secret" not in json.dumps(dump(assign(loads(text))))
