"""A host's answers: recorded ones are read right, hostile and broken ones end in Garbled and in nothing else."""

from __future__ import annotations

import base64
from dataclasses import replace
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from wgorch.base.assets import shipped
from wgorch.errors import Garbled
from wgorch.facts.facts import Clock
from wgorch.facts.grammar import NotAnAnswer, public_key
from wgorch.facts.links import Device, Links, Route
from wgorch.facts.wireguard import WireGuard
from wgorch.gather.observed import Observed, observed, observed_again
from wgorch.inventory.load import load
from wgorch.plan.host import plan_host
from wgorch.plan.playbook import load as load_playbook
from wgorch.state.rules import Rule
from wgorch.state.state import State, TunnelRoute
from wgorch.state.wireguard import Interface, Peer
from wgorch.steps import target_state
from wgorch.steps.target import Target
from wgorch.topology.topology import build

NONCE = "wgorch-answer"
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORDED = (HERE / "recorded" / "debian12-wireguard-go-iptables-nft.txt").read_text(encoding="utf-8")
INVENTORY = load(ROOT / "inventory" / "home-company.yaml")
NETWORK = INVENTORY.network


def read(text: str) -> Observed:
    return observed("company", text, NONCE)


def section(name: str, body: str) -> str:
    """The recorded answer with one section replaced."""
    before, found, after = RECORDED.partition(f"\n{NONCE} {name}\n")
    assert found
    rest = after[after.index(f"\n{NONCE} ") :]
    return f"{before}{found}{body}\n{rest}"


def test_the_recorded_answer_says_what_was_set() -> None:
    seen = read(RECORDED)

    assert ("company", 0, "debian", False) == (
        seen.system.hostname,
        seen.system.uid,
        seen.system.os["ID"],
        seen.system.kernel_wireguard,
    )
    assert Device("wg0", 1420, True, "wgorch:office") == seen.links.devices["wg0"]
    assert ("ens192", ip_interface("10.10.13.62/24")) in seen.links.addresses
    assert Route(ip_network("10.20.0.0/16"), "wg0", "", "119", 0) in seen.links.routes
    assert {"ip", "wg", "wireguard-go", "iptables-restore"} <= seen.system.tools
    assert ("-rw-------", True, True) == (seen.keys.mode, seen.keys.exists, bool(seen.system.ports_taken))
    assert seen.wireguard["wg0"].public_key == seen.keys.public
    assert "1" == seen.sysctls["net/ipv4/conf/wg0/send_redirects"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("every 1 second", 1),
        ("every 25 seconds", 25),
        ("every 1 minute, 5 seconds", 65),
        ("every 18 hours, 12 minutes, 15 seconds", 65535),
    ],
)
def test_how_often_a_session_is_kept_alive(told: str, seconds: int) -> None:
    seen = read(RECORDED.replace("every 15 seconds", told))

    assert seconds in {peer.persistent_keepalive for peer in seen.wireguard["wg0"].peers.values()}


def test_what_fits_a_way_leaves_room_for_the_tunnel() -> None:
    ways = "192.0.2.1 192.0.2.1 1500\n2001:db8::1 2001:db8::1 1500\nrelay.example 192.0.2.2 1480"
    told = RECORDED.replace(f"\n{NONCE} end", f"\n{NONCE} paths\n{ways}\n\n{NONCE} end")

    assert {"192.0.2.1": 1440, "2001:db8::1": 1420, "relay.example": 1420} == read(told).paths
    with pytest.raises(Garbled):
        read(told.replace("1480", "many"))


def test_what_was_not_asked_again_is_as_it_was() -> None:
    before = read(RECORDED)
    uptime = float(before.answers["moment"][0].split()[1])
    later = f"\n{NONCE} moment\nuptime {uptime + 10:.2f} 1\n\n{NONCE} keys\ntotal 0\n\n{NONCE} files\n\n{NONCE} end\n"

    for after in (observed("company", later, NONCE, before.answers), observed_again(before, later, NONCE)):
        assert (before.firewall, before.wireguard, before.system) == (after.firewall, after.wireguard, after.system)
        assert before.keys.exists
        assert not after.keys.exists
        assert 10 == after.clock.time - before.clock.time
    for read_again in (
        lambda text: observed("company", text, NONCE, before.answers),
        lambda text: observed_again(before, text, NONCE),
    ):
        with pytest.raises(Garbled):
            read_again(later.replace(f"{NONCE} end", ""))


def test_the_recorded_answer_as_a_state() -> None:
    seen = read(RECORDED)
    state = seen.state(NETWORK)
    peers = {peer.allowed_ips: peer for peer in state.peers["wg0"].values()}
    wg0 = Interface("wg0", "wgorch:office", 1420, 51820, seen.wireguard["wg0"].public_key)

    assert {"wg0": wg0} == state.interfaces
    assert {"wg0": frozenset({"192.168.2.3/24"})} == state.addresses
    assert {"wg0": frozenset({TunnelRoute("10.20.0.0/16")})} == state.routes
    assert {("192.168.2.0/24",), ("10.20.0.0/16", "fd00::5/128")} == set(peers)
    assert ("203.0.113.13:38371", 15) == (
        peers["192.168.2.0/24",].endpoint,
        peers["192.168.2.0/24",].persistent_keepalive,
    )
    assert (None, 0) == (
        peers["10.20.0.0/16", "fd00::5/128"].endpoint,
        peers["10.20.0.0/16", "fd00::5/128"].persistent_keepalive,
    )
    assert [("wgorch-office-fwd", (1,))] == [(chain.name, places) for chain, places in state.jumps.items()]


def test_a_quoted_comment_is_read_as_it_was_given() -> None:
    rules = read(RECORDED).firewall.rules["filter"]

    assert "a ] \" b ' c" == rules["FORWARD"][1].mark
    assert "two words" == rules["wgorch-office-fwd"][1].mark
    assert ("-d", "10.10.13.0/24", "-i", "wg0", "-o", "ens192") == rules["wgorch-office-fwd"][0].words[:6]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ('-A x -m comment --comment "two words" -j ACCEPT', "two words"),
        ('-A x -m comment --comment "a ] b" -j ACCEPT', "a ] b"),
        ('-A x -m comment --comment "a \\" b" -j ACCEPT', 'a " b'),
        ('-A x -m comment --comment "tick\\\'s" -j ACCEPT', "tick's"),
        ('-A x -m comment --comment "back\\\\slash" -j ACCEPT', "back\\slash"),
        ('-A x -m comment --comment "-j DROP" -j ACCEPT', "-j DROP"),
        ("-A x -m comment --comment wgorch:office -j ACCEPT", "wgorch:office"),
        ('-A x -m comment --comment "wgorch:office too" -j ACCEPT', "wgorch:office too"),
        ("-A x -j ACCEPT", None),
    ],
)
def test_the_comments_of_rules(line: str, mark: str | None) -> None:
    seen = read(section("rules", f"*filter\n:x - [0:0]\n{line}\nCOMMIT"))

    assert mark == seen.firewall.rules["filter"]["x"][0].mark


def test_the_warning_about_legacy_rules_is_no_rule() -> None:
    text = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them"

    assert {} == read(section("rules", text)).firewall.rules


def test_a_card_of_another_owner_is_not_ours() -> None:
    theirs = read(RECORDED.replace("wg0 1420 0x1091 wgorch:office", "wg0 1420 0x1091 wgorch:office2"))

    state = theirs.state(NETWORK)

    assert ({}, {}, {}, {}) == (state.interfaces, state.addresses, state.peers, state.routes)


# --- what must be refused

P = 2**255 - 19


def encoded(number: int) -> str:
    return base64.b64encode((number % 2**256).to_bytes(32, "little")).decode()


BAD_KEYS = {
    "zero": encoded(0),
    "one": encoded(1),
    "of order eight": encoded(325606250916557431795983626356110631294008115727848805560023387167927233504),
    "of order eight, the other": encoded(39382357235489614581723060781553021112529911719440698176882885853963445705823),
    "p minus one": encoded(P - 1),
    "p": encoded(P),
    "p plus one": encoded(P + 1),
    "zero with the ignored bit": encoded(2**255),
    "one with the ignored bit": encoded(2**255 + 1),
    "too short": base64.b64encode(b"x" * 31).decode(),
    "too long": base64.b64encode(b"x" * 33).decode(),
    "not canonical": base64.b64encode(b"x" * 32).decode()[:-2] + "5=",
    "without padding": base64.b64encode(b"x" * 32).decode().rstrip("="),
    "of the URL alphabet": "_" * 42 + "8=",
    "with a space": base64.b64encode(b"x" * 32).decode()[:-1] + " ",
    "with a line break": base64.b64encode(b"x" * 32).decode() + "\n",
    "empty": "",
    "in hexadecimal": "78" * 32,
    "a command": "$(touch /tmp/x)",
    "Arabic": "٣" * 43 + "=",
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_bad_public_key_is_refused(name: str) -> None:
    with pytest.raises(NotAnAnswer):
        public_key(BAD_KEYS[name])


@pytest.mark.parametrize("name", sorted(set(BAD_KEYS) - {"empty", "with a line break"}))
@pytest.mark.parametrize("place", ["  public key: ", "public_key "])
def test_a_host_that_answers_a_bad_key_is_garbled(name: str, place: str) -> None:
    key, own = BAD_KEYS[name], read(RECORDED).wireguard["wg0"].public_key
    text = RECORDED.replace(f"\n{place}{own}", f"\n{place}{key}")
    assert text != RECORDED

    with pytest.raises(Garbled):
        read(text)


def test_a_good_public_key_is_taken() -> None:
    key = base64.b64encode(bytes(range(32))).decode()

    assert key == public_key(key)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("host", "uid -1"),
        ("host", "uid ٣"),
        ("host", "clock 0"),
        ("host", "uid 0\nboot_id $(reboot)"),
        ("host", "uid 0"),
        ("host", "uid 0\nclock 1 never"),
        ("moment", "uptime never"),
        ("moment", "uptime nan"),
        ("moment", "uptime inf"),
        ("moment", "uptime "),
        ("host", "uid 0\nmachine_id ../../etc"),
        ("tools", "rm -rf /"),
        ("links", "wg0"),
        ("links", "wg0 many 0x1"),
        ("links", "wg0 1420 up"),
        ("links", "../../etc/passwd 1420 0x1"),
        ("links", "averyveryverylongname 1420 0x1"),
        ("addresses", "2: wg0    inet 192.168.2.300/24"),
        ("addresses", "2: wg0    inet"),
        ("addresses", "10.0.0.0/33 dev wg0"),
        ("addresses", "10.0.0.0/8 dev wg0 metric lots"),
        ("addresses", "blackhole"),
        ("wg wg0", "peer: short\n  allowed ips: 10.0.0.0/8"),
        ("wg wg0", f"peer: {'k' * 43}=\n  allowed ips: everything"),
        ("wg wg0", f"peer: {'k' * 43}=\n  endpoint: no;where"),
        ("wg wg0", f"peer: {'k' * 43}=\n  persistent keepalive: every day"),
        ("wg wg0", f"peer: {'k' * 43}=\n  persistent keepalive: every 2 fortnights"),
        ("wg wg0", "interface: wg0\n  listening port: many"),
        ("wg wg0", "interface: wg0\n  fwmark: red"),
        ("rules", "-A FORWARD -j ACCEPT"),
        ("rules", '*filter\n-A x -m comment --comment "never closed'),
        ("rules", "*../x"),
        ("rules", "*filter\n:x"),
        ("sysctls", "kernel/core_pattern |/bin/sh"),
        ("sysctls", "net/ipv4/conf/../../../kernel/panic 1"),
        ("sysctls", "net/ipv4/conf/wg0/forwarding $(id)"),
        ("files", "digest nothing"),
        ("files", "boot #: run {"),
        ("files", "boot #: run []"),
        ("files", 'boot #: run {"name": 1}'),
        ("files", "lock since=never"),
        ("files", "unit x"),
    ],
)
def test_an_answer_out_of_its_grammar_is_garbled(name: str, body: str) -> None:
    text = section(name, body)

    with pytest.raises(Garbled) as raised:
        read(text)

    assert "company" == raised.value.host
    assert raised.value.hint


@pytest.mark.parametrize("cut", range(0, len(RECORDED), 97))
def test_an_answer_that_was_cut_is_garbled(cut: int) -> None:
    if f"{NONCE} end" not in RECORDED[:cut]:
        with pytest.raises(Garbled):
            read(RECORDED[:cut])


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

SECTIONS = [line[len(NONCE) + 1 :] for line in RECORDED.split("\n") if line.startswith(NONCE) and "end" not in line]


def taken_or_garbled(text: str) -> None:
    try:
        read(text).state(NETWORK)
    except Garbled as error:
        assert error.problem.isprintable()


@fuzz
@given(st.text(max_size=300))
def test_any_text_is_an_answer_or_garbled(text: str) -> None:
    taken_or_garbled(text)


@fuzz
@given(
    st.sampled_from(SECTIONS),
    st.text(max_size=200) | st.text(alphabet="0123456789abcdef:./-* \t\n\"'\\[]{}=A", max_size=80),
)
def test_any_text_in_any_section_is_an_answer_or_garbled(name: str, body: str) -> None:
    taken_or_garbled(section(name, body))


@fuzz
@given(st.integers(0, len(RECORDED) - 1), st.text(min_size=1, max_size=8), st.integers(0, 12))
def test_any_slip_of_a_few_characters_is_an_answer_or_garbled(at: int, new: str, lost: int) -> None:
    taken_or_garbled(RECORDED[:at] + new + RECORDED[at + lost :])


@fuzz
@given(st.integers(0, 120), st.integers(0, 120), st.integers(0, 60))
def test_lines_in_another_order_are_an_answer_or_garbled(one: int, other: int, count: int) -> None:
    lines = RECORDED.split("\n")
    block = lines[one : one + count]
    del lines[one : one + count]
    taken_or_garbled("\n".join([*lines[:other], *block, *lines[other:]]))


@pytest.mark.parametrize("body", ["files", "rules", "addresses", "links", "sysctls", "tools", "wg wg0"])
def test_a_flood_ends_within_bounds(body: str) -> None:
    taken_or_garbled(section(body, "-A x " * 50_000))


# --- what a host says of itself changes nothing elsewhere

TOPOLOGY = build(INVENTORY)
PLAYBOOK = load_playbook(shipped("playbooks") / "up.yaml")
KEYS = {name: base64.b64encode(bytes([i]) * 32).decode() for i, name in enumerate(INVENTORY.hosts, 40)}


def plain(host: str) -> Observed:
    """A host that is ready, and has nothing of ours."""
    seen = read(RECORDED)
    links = Links(
        devices={name: device for name, device in seen.links.devices.items() if name != "wg0"},
        addresses=tuple((device, a) for device, a in seen.links.addresses if device != "wg0"),
        routes=tuple(r for r in seen.links.routes if r.device != "wg0"),
    )
    firewall, keys = replace(seen.firewall, rules={}), replace(seen.keys, public=KEYS[host])
    return replace(seen, host=host, links=links, wireguard={}, firewall=firewall, keys=keys)


def wanted(host: str, facts: Observed, keys: dict[str, str]) -> State:
    return target_state(Target(TOPOLOGY.desired(host), facts, keys), facts.slices)


def programs(seen: dict[str, Observed], keys: dict[str, str]) -> dict[str, list[str]]:
    """Every program of every host, as a run would stage them."""
    found = {}
    for host, facts in seen.items():
        plan = plan_host(host, NETWORK, wanted(host, facts, keys), facts, PLAYBOOK)
        found[host] = [
            plan.prepare_program.text,
            plan.do_program.text,
            plan.undo_program.text,
            plan.stay_program.text,
            plan.boot.text,
            plan.probe,
        ]
    return found


SEEN = {host: plain(host) for host in INVENTORY.hosts}
QUIET = programs(SEEN, KEYS)
word = st.text(max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(word, word, st.dictionaries(word, word, max_size=3), st.integers(0, 3), st.integers(1, 9000), st.data())
def test_what_a_host_says_of_itself_is_in_no_program_of_another(
    hostname: str, kernel: str, os: dict[str, str], uid: int, mtu: int, data: st.DataObject
) -> None:
    liar = data.draw(st.sampled_from(sorted(INVENTORY.hosts)))
    seen = SEEN[liar]
    peers = {KEYS["home"]: Peer(KEYS["home"], ("0.0.0.0/0",), "203.0.113.99:1")}
    lied = replace(
        seen,
        system=replace(
            seen.system, hostname=hostname, kernel=kernel, os=os, uid=uid, machine_id=hostname, ssh_client=kernel
        ),
        wireguard={"wg0": WireGuard(listen_port=mtu, peers=peers)},
        links=replace(seen.links, devices={**seen.links.devices, "ens192": Device("ens192", mtu, True, kernel)}),
        clock=Clock(time=mtu),
        firewall=replace(seen.firewall, rules={"filter": {"FORWARD": (Rule(("-j", hostname)),)}}),
        sysctls={**seen.sysctls, "net/ipv4/conf/all/rp_filter": "2"},
    )

    told = programs({**SEEN, liar: lied}, KEYS)

    assert {h: t for h, t in QUIET.items() if h != liar} == {h: t for h, t in told.items() if h != liar}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=32, max_size=32), st.sampled_from(sorted(INVENTORY.hosts)))
def test_of_a_host_others_take_its_key_and_nothing_else(raw: bytes, host: str) -> None:
    key = base64.b64encode(raw).decode()
    assume(key not in KEYS.values())

    told = programs(SEEN, {**KEYS, host: key})

    for other, texts in QUIET.items():
        if other != host:
            assert sorted("\n".join(texts).replace(KEYS[host], key)) == sorted("\n".join(told[other]))


def test_one_host_has_one_key_wherever_it_is_a_peer() -> None:
    found = {
        (peer.name, peer.public_key)
        for host, facts in SEEN.items()
        for peer in wanted(host, facts, KEYS).peers["wg0"].values()
    }

    assert set(KEYS.items()) == found


def test_every_host_listens_on_a_port_that_stays_after_a_reboot() -> None:
    ports = {host.name: host.listen_port for host in INVENTORY.hosts.values()}

    assert {"bcc": 38371, "home": 51820, "company": 51820} == ports
    for host, texts in QUIET.items():
        assert f" listen-port {ports[host]}" in texts[4]
