"""Each format says the whole of a device: written, read back by its own grammar, and compared, for drawn networks."""

from __future__ import annotations

import configparser
import html
import random
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
import yaml

from tests.interop.hosts import key_of
from wgorch.cli.parser import build_parser
from wgorch.errors import UsageError
from wgorch.interop import formats
from wgorch.interop.configs import export
from wgorch.interop.formats import OWN, exporter
from wgorch.interop.formats.site import PLACEHOLDER, Peer, Site
from wgorch.inventory.load import loads


class Read(NamedTuple):
    """What a file says."""

    addresses: set[str]
    peers: dict[str, tuple[frozenset[str], str, int]]
    """By public key: allowed-ips, endpoint, keepalive."""
    routes: set[str]
    port: int = 0
    mtu: int = 0
    key: str = ""
    dns: tuple[str, ...] = ()


def drawn(chance: random.Random, number: int) -> Site:
    def net() -> str:
        return f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.0/24"

    peers = tuple(
        Peer(
            f"peer-{n}",
            key_of(f"{number}-{n}"),
            tuple(
                dict.fromkeys([net() for _ in range(chance.randint(1, 4))] + ["fd00:10::/64"][: chance.randint(0, 1)])
            ),
            chance.choice(["", f"203.0.113.{n + 1}", "2001:db8::7", "vpn.example"]),
            chance.randint(1, 65535),
            chance.choice([0, 15, 25]),
            chance.random() < 0.2,
        )
        for n in range(chance.randint(1, 5))
    )
    addresses = (f"10.99.0.{chance.randint(1, 250)}/32", "fd99::5/128")[: chance.randint(1, 2)]
    return Site(
        "branch",
        "office",
        chance.choice(["wg0", "wg1", "wg-home"]),
        addresses,
        peers,
        chance.choice(["", key_of(f"private-{number}")]),
        chance.choice([0, 51820, 4500]),
        chance.choice([0, 1380]),
        chance.choice([(), ("9.9.9.9",)]),
        chance.choice([(), ("192.168.178.0/24",)]),
    )


def _ini(text: str) -> list[tuple[str, dict[str, list[str]]]]:
    sections: list[tuple[str, dict[str, list[str]]]] = []
    for line in text.split("\n"):
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            sections[-1][1].setdefault(key.strip(), []).append(value.strip())
    return sections


def read_networkd(files: dict[str, str]) -> Read:
    netdev, network = (_ini(next(t for n, t in files.items() if n.endswith(end))) for end in (".netdev", ".network"))
    own = {key: values[0] for name, part in netdev if name != "WireGuardPeer" for key, values in part.items()}
    peers = {
        part["PublicKey"][0]: (
            frozenset(part["AllowedIPs"][0].split(",")),
            part.get("Endpoint", [""])[0],
            int(part.get("PersistentKeepalive", ["0"])[0]),
        )
        for name, part in netdev
        if name == "WireGuardPeer"
    }
    inner = next(part for name, part in network if name == "Network")
    routes = {part["Destination"][0] for name, part in network if name == "Route"}
    numbers = int(own.get("ListenPort", 0)), int(own.get("MTUBytes", 0))
    return Read(set(inner["Address"]), peers, routes, *numbers, own["PrivateKey"], tuple(inner.get("DNS", [])))


def read_networkmanager(files: dict[str, str]) -> Read:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(next(iter(files.values())))
    peers = {
        name.removeprefix("wireguard-peer."): (
            frozenset(part["allowed-ips"].strip(";").split(";")),
            part.get("endpoint", ""),
            int(part.get("persistent-keepalive", "0")),
        )
        for name, part in parser.items()
        if name.startswith("wireguard-peer.")
    }
    addresses = {v for version in "46" for k, v in parser[f"ipv{version}"].items() if k.startswith("address")}
    own = parser["wireguard"]
    dns = tuple(x for version in "46" for x in parser[f"ipv{version}"].get("dns", "").split(";") if x)
    routes = {net for nets, _, _ in peers.values() for net in nets}  # peer-routes is true by itself
    numbers = int(own.get("listen-port", "0")), int(own.get("mtu", "0"))
    return Read(addresses, peers, routes, *numbers, own["private-key"], dns)


def read_netplan(files: dict[str, str]) -> Read:
    ((_, own),) = yaml.safe_load(next(iter(files.values())))["network"]["tunnels"].items()
    assert own["mode"] == "wireguard"
    peers = {
        p["keys"]["public"]: (frozenset(p["allowed-ips"]), p.get("endpoint", ""), p.get("keepalive", 0))
        for p in own["peers"]
    }
    dns = tuple(own.get("nameservers", {}).get("addresses", []))
    routes = {route["to"] for route in own["routes"]}
    return Read(set(own["addresses"]), peers, routes, own.get("port", 0), own.get("mtu", 0), own["key"], dns)


def read_ifupdown(files: dict[str, str]) -> Read:
    conf = _ini(next(t for n, t in files.items() if n.endswith(".conf")))
    stanzas = next(t for n, t in files.items() if n.endswith(".interfaces"))
    peers = {
        part["PublicKey"][0]: (
            frozenset(part["AllowedIPs"][0].split(", ")),
            part.get("Endpoint", [""])[0],
            int(part.get("PersistentKeepalive", ["0"])[0]),
        )
        for name, part in conf
        if name == "Peer"
    }
    own = next(part for name, part in conf if name == "Interface")
    mtu = re.search(r"^    mtu (\d+)", stanzas, re.M)
    dns = re.search(r"^    dns-nameservers (.*)", stanzas, re.M)
    return Read(
        set(re.findall(r"^    address (\S+)", stanzas, re.M)),
        peers,
        set(re.findall(r"route replace (\S+) dev", stanzas)),
        int(own.get("ListenPort", ["0"])[0]),
        int(mtu[1]) if mtu else 0,
        own["PrivateKey"][0],
        tuple(dns[1].split()) if dns else (),
    )


def read_openwrt(files: dict[str, str]) -> Read:
    sections: list[tuple[str, dict[str, list[str]]]] = []
    for line in files["network"].split("\n"):
        words = shlex.split(line, comments=True)
        if words[:1] == ["config"]:
            sections.append((words[1], {}))
        elif words:
            assert words[0] in ("option", "list")
            sections[-1][1].setdefault(words[1], []).append(words[2])
    own = next(part for name, part in sections if name == "interface")
    assert own["proto"] == ["wireguard"]
    peers, routes = {}, set()
    for name, part in sections:
        if name.startswith("wireguard_"):
            host = part.get("endpoint_host", [""])[0]
            end = f"{f'[{host}]' if ':' in host else host}:{part['endpoint_port'][0]}" if host else ""
            nets = frozenset(part["allowed_ips"])
            peers[part["public_key"][0]] = (nets, end, int(part.get("persistent_keepalive", ["0"])[0]))
            routes |= nets if part["route_allowed_ips"] == ["1"] else set()
    numbers = int(own.get("listen_port", ["0"])[0]), int(own.get("mtu", ["0"])[0])
    return Read(set(own["addresses"]), peers, routes, *numbers, own["private_key"][0], tuple(own.get("dns", [])))


def read_nixos(files: dict[str, str]) -> Read:
    text = next(iter(files.values()))
    assert text.count("{") == text.count("}")
    assert text.count("[") - text.count("[2") == text.count("]") - text.count("]:")

    def words(pattern: str, where: str) -> list[str]:
        hit = re.search(pattern, where)
        return re.findall(r'"([^"]*)"', hit[1]) if hit else []

    def number(pattern: str, where: str) -> int:
        hit = re.search(pattern, where)
        return int(hit[1]) if hit else 0

    peers = {}
    for part in re.findall(r"^      \{.*?^      \}", text, re.M | re.S):
        (key,) = words(r"publicKey = (.*);", part)
        end = words(r"endpoint = (.*);", part)
        nets = frozenset(words(r"allowedIPs = \[(.*)\];", part))
        peers[key] = (nets, end[0] if end else "", number(r"persistentKeepalive = (\d+);", part))
    given = re.search(r"mode 600: (.*)", text)
    return Read(
        set(words(r" ips = \[(.*)\];", text)),
        peers,
        {net for nets, _, _ in peers.values() for net in nets},  # allowedIPsAsRoutes is true by itself
        number(r"listenPort = (\d+);", text),
        number(r"mtu = (\d+);", text),
        given[1] if given else PLACEHOLDER,
        tuple(words(r"nameservers = \[(.*)\];", text)),
    )


def read_routeros(files: dict[str, str]) -> Read:
    addresses, routes, dns = set(), set(), ()
    peers: dict[str, tuple[frozenset[str], str, int]] = {}
    own: dict[str, str] = {}
    for line in next(iter(files.values())).split("\n"):
        if not line or line.startswith("#"):
            continue
        words = shlex.split(line.replace("\\$", "$"))
        values = dict(word.split("=", 1) for word in words if "=" in word)
        if line.startswith("/interface wireguard add"):
            own = values
        elif line.startswith("/interface wireguard peers add"):
            host = values.get("endpoint-address", "")
            end = f"{f'[{host}]' if ':' in host else host}:{values['endpoint-port']}" if host else ""
            nets = frozenset(values["allowed-address"].split(","))
            peers[values["public-key"]] = (nets, end, int(values.get("persistent-keepalive", "0s").rstrip("s")))
        elif " address add" in line:
            addresses.add(values["address"])
            assert line.startswith("/ipv6" if ":" in values["address"] else "/ip ")
        elif " route add" in line:
            routes.add(values["dst-address"])
        elif line.startswith("/ip dns"):
            dns = tuple(values["servers"].split(","))  # type: ignore[assignment]
    key = own.get("private-key", PLACEHOLDER)
    return Read(addresses, peers, routes, int(own.get("listen-port", 0)), int(own.get("mtu", 0)), key, dns)


def _set_lines(files: dict[str, str]) -> Iterator[list[str]]:
    for line in next(iter(files.values())).split("\n"):
        if line and not line.startswith("#"):
            words = shlex.split(line)
            assert words[0] == "set"
            yield words[1:]


def read_vyos(files: dict[str, str]) -> Read:
    found: dict[str, dict[str, list[str]]] = {}
    own: dict[str, list[str]] = {}
    routes, dns = set(), []
    for words in _set_lines(files):
        if words[:2] == ["interfaces", "wireguard"] and words[3] == "peer":
            found.setdefault(words[4], {}).setdefault(words[5], []).append(words[6])
        elif words[:2] == ["interfaces", "wireguard"]:
            own.setdefault(words[3], []).append(words[4])
        elif words[:2] == ["protocols", "static"]:
            assert words[2] == ("route6" if ":" in words[3] else "route")
            routes.add(words[3])
        else:
            dns.append(words[-1])
    peers = {}
    for part in found.values():
        host = part.get("address", part.get("host-name", [""]))[0]
        end = f"{f'[{host}]' if ':' in host else host}:{part['port'][0]}" if host else ""
        keepalive = int(part.get("persistent-keepalive", ["0"])[0])
        peers[part["public-key"][0]] = (frozenset(part["allowed-ips"]), end, keepalive)
    numbers = int(own.get("port", ["0"])[0]), int(own.get("mtu", ["0"])[0])
    return Read(set(own["address"]), peers, routes, *numbers, own.get("private-key", [PLACEHOLDER])[0], tuple(dns))


def read_edgeos(files: dict[str, str]) -> Read:
    found: dict[str, dict[str, list[str]]] = {}
    own: dict[str, list[str]] = {}
    dns = []
    for words in _set_lines(files):
        if words[:2] == ["interfaces", "wireguard"] and words[3] == "peer":
            found.setdefault(words[4], {}).setdefault(words[5], []).append(words[6])
        elif words[:2] == ["interfaces", "wireguard"]:
            own.setdefault(words[3], []).append(words[4])
        elif words[0] == "system":
            dns.append(words[-1])
    peers = {
        key: (frozenset(p["allowed-ips"]), p.get("endpoint", [""])[0], int(p.get("persistent-keepalive", ["0"])[0]))
        for key, p in found.items()
    }
    routes = {net for nets, _, _ in peers.values() for net in nets} if own["route-allowed-ips"] == ["true"] else set()
    key = own["private-key"][0] if not own["private-key"][0].startswith("/") else PLACEHOLDER
    numbers = int(own.get("listen-port", ["0"])[0]), int(own.get("mtu", ["0"])[0])
    return Read(set(own["address"]), peers, routes, *numbers, key, tuple(dns))


def read_opnsense(files: dict[str, str]) -> Read:
    (text,) = files.values()
    root = ElementTree.fromstring(text)
    (own,) = root.findall("./OPNsense/wireguard/server/servers/server")
    assert re.fullmatch(r"[0-9a-zA-Z._\-]{1,64}", own.findtext("name", ""))  # the model's masks
    assert own.findtext("instance", "").isdecimal()
    clients = {c.get("uuid"): c for c in root.findall("./OPNsense/wireguard/client/clients/client")}
    peers = {}
    for uuid in own.findtext("peers", "").split(","):
        client = clients[uuid]
        assert re.fullmatch(r"[0-9a-zA-Z._\-]{1,64}", client.findtext("name", ""))
        host = client.findtext("serveraddress", "")
        end = f"{f'[{host}]' if ':' in host else host}:{client.findtext('serverport')}" if host else ""
        nets = frozenset(client.findtext("tunneladdress", "").split(","))
        peers[client.findtext("pubkey", "")] = (nets, end, int(client.findtext("keepalive") or 0))
    assert own.findtext("disableroutes") == "0"
    return Read(
        set(own.findtext("tunneladdress", "").split(",")),
        peers,
        {net for nets, _, _ in peers.values() for net in nets},
        int(own.findtext("port") or 0),
        int(own.findtext("mtu") or 0),
        own.findtext("privkey", ""),
        tuple(x for x in own.findtext("dns", "").split(",") if x),
    )


def read_wg_quick(files: dict[str, str]) -> Read:
    (text,) = files.values()
    known = {
        *("PrivateKey", "Address", "ListenPort", "MTU", "DNS"),
        *("PublicKey", "AllowedIPs", "Endpoint", "PersistentKeepalive", "PresharedKey"),
    }
    sections = _ini(text)
    assert all(key in known for _, part in sections for key in part)  # the apps refuse what they do not know
    own = next(part for name, part in sections if name == "Interface")
    peers = {
        part["PublicKey"][0]: (
            frozenset(part["AllowedIPs"][0].split(", ")),
            part.get("Endpoint", [""])[0],
            int(part.get("PersistentKeepalive", ["0"])[0]),
        )
        for name, part in sections
        if name == "Peer"
    }
    return Read(
        set(own["Address"]),
        peers,
        {net for nets, _, _ in peers.values() for net in nets},
        int(own.get("ListenPort", ["0"])[0]),
        int(own.get("MTU", ["0"])[0]),
        own["PrivateKey"][0],
        tuple(x for x in own.get("DNS", [""])[0].split(", ") if x),
    )


READERS: dict[str, Callable[[dict[str, str]], Read]] = {
    "networkd": read_networkd,
    "networkmanager": read_networkmanager,
    "netplan": read_netplan,
    "ifupdown": read_ifupdown,
    "openwrt": read_openwrt,
    "nixos": read_nixos,
    "routeros": read_routeros,
    "vyos": read_vyos,
    "edgeos": read_edgeos,
    "opnsense": read_opnsense,
    "windows": read_wg_quick,
    "mobile": read_wg_quick,
}


@pytest.mark.parametrize("name", OWN)
def test_what_is_written_is_read_back(name: str) -> None:
    chance = random.Random(f"{name} 5")
    for number in range(1000 // len(OWN)):
        site = drawn(chance, number)
        files = dict(exporter(name)(site))
        found = READERS[name](files)
        wanted = {
            peer.public_key: (frozenset(peer.allowed_ips), peer.endpoint if peer.host else "", peer.keepalive)
            for peer in site.peers
        }
        text = "\n".join(files.values())
        assert found == Read(
            set(site.addresses), wanted, set(site.routes), site.listen_port, site.mtu, site.key, site.dns
        ), text
        assert all(peer.name in text for peer in site.peers)
        text = html.unescape(text)
        assert text.count("<preshared key") + text.count(".psk") == sum(peer.has_preshared for peer in site.peers)
        if site.lans and name not in ("vyos", "edgeos"):  # which forward by themselves
            assert re.search("forward", text, re.I), text


def test_every_format_has_a_reader_and_is_in_the_help() -> None:
    assert set(OWN) == set(READERS)
    words = build_parser(["export"]).verbs["export"].format_help().replace(",", " ").split()
    assert set(OWN) <= set(words)


def test_an_exporter_of_a_package_is_found_and_one_that_does_not_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    good = EntryPoint("mine", "tests.interop.formats.test_formats:own_format", formats.GROUP)
    bad = EntryPoint("broken", "nowhere.at_all:export", formats.GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [good, bad] if group == formats.GROUP else [])
    assert {"mine.txt": "branch"} == exporter("mine")(drawn(random.Random(1), 1))
    with pytest.raises(UsageError, match="the exporter broken does not load: No module named 'nowhere'"):
        exporter("broken")
    with pytest.raises(UsageError, match='no format "juniper"') as error:
        exporter("juniper")
    assert "routeros" in str(error.value)
    assert "mine" in str(error.value)


def own_format(site: Site) -> dict[str, str]:
    return {"mine.txt": site.name}


def test_a_name_that_a_system_does_not_take_is_another_there() -> None:
    site = drawn(random.Random(2), 1)
    site = replace(site, interface="wg-home.1")
    assert "config interface 'wg_home_1'" in exporter("openwrt")(site)["network"]
    for name in ("vyos", "edgeos"):
        (text,) = exporter(name)(site).values()
        assert "set interfaces wireguard wg0 " in text
        assert "wg-home" not in text


@pytest.mark.parametrize("form", [*OWN, "wg-quick"])
def test_a_device_with_an_exit_node_takes_only_formats_that_keep_its_endpoint_out(form: str) -> None:
    text = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  hub: {ssh: x, endpoint: "203.0.113.10:51820", relay: true}
devices:
  phone: {exit: hub}
"""
    run: Any = SimpleNamespace(inventory=loads(text), network=SimpleNamespace(name="office"), gather=None)
    if form in formats.WITHOUT_EXIT:
        with pytest.raises(UsageError, match="would send WireGuard's own packets into the tunnel, too"):
            export(run, "phone", form)
    else:
        with pytest.raises(TypeError):  # it goes on, and reads the hosts
            export(run, "phone", form)
