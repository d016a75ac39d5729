"""Files for other tools, from the reference network and a mesh."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.hosts import key_of
from wgorch.errors import UsageError
from wgorch.gather.gather import NONCE
from wgorch.gather.observed import Observed, observed
from wgorch.interop import export
from wgorch.interop.formats import exporter
from wgorch.interop.formats.site import site_of
from wgorch.inventory.load import loads
from wgorch.topology.topology import Topology, build

TESTS = Path(__file__).parents[1]
INVENTORIES = TESTS.parent / "inventory"
RECORDED = TESTS / "facts" / "recorded" / "debian12-wireguard-go-iptables-nft.txt"
PHONE = key_of("phone")
RULE = "-m comment --comment wgorch:office -j"


def topology(name: str) -> Topology:
    text = (INVENTORIES / f"{name}.yaml").read_text(encoding="utf-8")
    devices = f'devices:\n  phone: {{public_key: "{PHONE}", dns: [192.0.2.53]}}\n\nverify:\n'
    return build(loads(text.replace("verify:\n", devices) if name == "home-company" else text))


REFERENCE = topology("home-company")
KEYS = {name: key_of(name) for name in ("bcc", "home", "company", "phone")}


def recorded(name: str) -> Observed:
    return observed(name, RECORDED.read_text(encoding="utf-8"), NONCE)


def device(
    network: Topology, name: str, keys: dict[str, str], private: str = "", preshared: tuple[str, ...] = ()
) -> str:
    """The wg-quick file of a device."""
    (text,) = exporter("wg-quick")(site_of(network, name, keys, private, preshared)).values()
    return text


def test_a_device_has_a_placeholder_for_its_private_key() -> None:
    assert (
        device(REFERENCE, "phone", KEYS)
        == f"""\
# phone, network office
[Interface]
PrivateKey = <private key of this device>
Address = 192.168.2.4/32
DNS = 192.0.2.53

[Peer]
# Name = bcc
PublicKey = {key_of("bcc")}
AllowedIPs = 10.10.13.0/24, 192.168.2.0/24
Endpoint = 203.0.113.13:38371
PersistentKeepalive = 15
"""
    )


def test_a_private_key_that_is_given_is_in_the_file() -> None:
    assert "\nPrivateKey = SECRET\n" in device(REFERENCE, "phone", KEYS, "SECRET")


def test_a_host_names_the_file_of_its_private_key() -> None:
    text = export.wg_quick(REFERENCE, "home", recorded("home"), KEYS, {}, 1400)

    assert text.startswith(f"""\
# home, network office
[Interface]
Address = 192.168.2.2/24
ListenPort = 51820
MTU = 1400
# the private key stays in its file, readable by root only
PostUp = wg set %i private-key /var/lib/wgorch/office/private_key

[Peer]
# Name = bcc
PublicKey = {key_of("bcc")}
""")
    assert "PrivateKey" not in text


def test_a_relay_creates_and_removes_its_sysctls_and_chains() -> None:
    lines = export.wg_quick(REFERENCE, "bcc", recorded("bcc"), KEYS, {}, 1420).split("\n")
    fwd = "wgorch-office-fwd"

    assert "PostUp = echo 1 >/proc/sys/net/ipv4/conf/%i/forwarding" in lines
    path = "/proc/sys/net/ipv4/conf/all/send_redirects"
    where = lines.index(f"PostUp = echo 0 >{path}")
    assert f"# to restore another value: PostDown = echo … >{path}" == lines[where + 1]
    start = lines.index(f"PostUp = iptables -t filter -N {fwd}")
    assert lines[start : start + 6] == [
        f"PostUp = iptables -t filter -N {fwd}",
        f"PostUp = iptables -t filter -A {fwd} -i wg0 -o wg0 {RULE} ACCEPT",
        f"PostUp = iptables -t filter -I FORWARD 1 {RULE} {fwd}",
        f"PostDown = iptables -t filter -D FORWARD {RULE} {fwd}",
        f"PostDown = iptables -t filter -F {fwd}",
        f"PostDown = iptables -t filter -X {fwd}",
    ]


def test_a_kept_preshared_key_of_a_device_is_in_both_files() -> None:
    text = device(REFERENCE, "phone", KEYS, preshared=("bcc",))
    assert text.rstrip().endswith("PresharedKey = <preshared key of this device and bcc>")
    lines = export.wg_quick(REFERENCE, "bcc", recorded("bcc"), KEYS, {"phone": "psk.other.1"}, 1420).split("\n")
    assert [line for line in lines if line.startswith("PostUp = wg set") and "psk.other.1" in line], lines


def test_a_preshared_key_is_named_by_its_file() -> None:
    text = (INVENTORIES / "home-company.yaml").read_text(encoding="utf-8")
    secret = build(loads(text.replace("network:\n", "network:\n  preshared_keys: true\n")))
    lines = export.wg_quick(secret, "home", recorded("home"), KEYS, {"bcc": "psk.bcc.1"}, 1420).split("\n")

    assert f"PostUp = wg set %i peer {key_of('bcc')} preshared-key /var/lib/wgorch/office/psk.bcc.1" in lines


def test_one_file_of_peers_fits_a_mesh() -> None:
    mesh = topology("mesh")
    text = export.shared_peers(mesh, {name: key_of(name) for name in mesh.hosts})

    assert text.startswith("# all peers of network mesh: wg addconf wg0 FILE\n\n[Peer]\n# Name = alpha\n")
    assert [key_of(name) for name in mesh.hosts] == [
        line.removeprefix("PublicKey = ") for line in text.split("\n") if line.startswith("PublicKey")
    ]


def test_one_file_of_peers_does_not_fit_spokes_of_a_relay() -> None:
    with pytest.raises(UsageError, match="home and company peer only through bcc\n    hint: --format wg-quick"):
        export.shared_peers(REFERENCE, KEYS)


def test_a_container_mounts_the_file_of_its_device() -> None:
    text = export.compose("phone", "office")

    assert text.startswith(
        "# phone, network office, in a container. Needs phone.conf beside this file (wgorch export phone)"
    )
    assert "      - ./phone.conf:/config/wg_confs/wg0.conf:ro\n" in text
    assert "    container_name: wgorch-office-phone\n" in text


def test_every_address_of_hosts_and_devices_gets_its_name() -> None:
    assert (
        "# office\n192.168.2.1\tbcc\n192.168.2.2\thome\n192.168.2.3\tcompany\n192.168.2.4\tphone\n"
        == export.hosts_file(REFERENCE.inventory.members, "office")
    )
