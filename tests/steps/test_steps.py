"""Each step as a table: what is wanted, what is there, and the commands between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.kernel import restore_words
from wgorch.adapters.firewalld import objects
from wgorch.plan.scope import keep_foreign
from wgorch.state.change import Command
from wgorch.state.rules import Chain, Rule, rule
from wgorch.state.state import State, nothing
from wgorch.state.wireguard import Interface, Peer
from wgorch.steps import all_steps

KEY, PEER, OTHER = "k" * 42 + "A=", "p" * 42 + "A=", "q" * 42 + "A="
BASE = State("wgorch:office", "/var/lib/wgorch/office")
WG0 = Interface("wg0", "wgorch:office", 1420, 51820, KEY)
UP = replace(BASE, interface=WG0)
FWD = Chain("filter", "FORWARD", "wgorch-office-fwd")
MSS = Chain("mangle", "FORWARD", "wgorch-office-mss")
INPUT = Chain("filter", "INPUT", "wgorch-office-in")
NAT = Chain("nat", "POSTROUTING", "wgorch-office-nat")
MAP = Chain("nat", "PREROUTING", "wgorch-office-map")
NETMAP = rule("-d 10.99.13.0/24 -i wg0", BASE.mark, "NETMAP --to 10.10.13.0/24")
RULE = "-4 11902 not from all fwmark 0x7 lookup 7 proto 119"
ACCEPT = rule("-i wg0 -o wg0", BASE.mark, "ACCEPT")
LAN = rule("-d 10.10.13.0/24 -i wg0 -o ens192", BASE.mark, "ACCEPT")
FOREIGN = rule("-s 10.9.0.0/16", "somebody", "ACCEPT")
ZONE = frozenset({"wgo-office interface wg0", "wgo-office-udp port 51820/udp"})
ZONES = frozenset(objects("wgo-office"))
RESTORE = "iptables-restore --wait 10 --noflush"


def make(step: str, want: State, have: State) -> list[tuple[str, list[str]]]:
    """What a step finds: the sign of each Change, and its commands as text."""

    def text(command: Command) -> str:
        return " ".join(command.argv) + (f"\n{command.stdin}" if command.stdin else "")

    return [(c.sign, [text(command) for command in c.commands]) for c in all_steps()[step](want, have)]


def with_peer(
    *nets: str, endpoint: str | None = None, keepalive: int = 0, key: str = PEER, preshared: str = ""
) -> dict[str, Any]:
    return {"peers": {key: Peer(key, nets, endpoint, keepalive, "bcc", preshared)}}


def with_chain(chain: Chain, *rules: Rule, places: tuple[int, ...] = (1,)) -> State:
    jumps = {chain: places} if places else {}
    return replace(UP, chains={chain: rules}, jumps=jumps, tables=frozenset({chain.table}))


def restored(chain: Chain, *lines: str) -> str:
    return "\n".join([RESTORE, f"*{chain.table}", f":{chain.name} - [0:0]", *lines, "COMMIT"])


JUMP = "-m comment --comment wgorch:office -j"
UNJUMP = f"remove_jump filter FORWARD wgorch:office {FWD.name}"
A = f"-A {FWD.name} {ACCEPT}"
I = f"-I FORWARD 1 {JUMP} {FWD.name}"  # noqa: E741

CASES: Mapping[str, list[tuple[str, State, State, list[tuple[str, list[str]]]]]] = {
    "install": [
        (
            "nothing is missing",
            replace(BASE, tools=frozenset({"wg"})),
            replace(BASE, tools=frozenset({"wg", "ip"})),
            [],
        ),
        (
            "one package serves several commands",
            replace(BASE, tools=frozenset({"wg", "iptables", "iptables-save"})),
            replace(BASE, manager="apt"),
            [("+", ["install_packages apt iptables wireguard-tools"])],
        ),
        (
            "a package has another name elsewhere",
            replace(BASE, tools=frozenset({"wg", "ip"})),
            replace(BASE, manager="apk"),
            [("+", ["install_packages apk iproute2 wireguard-tools-wg"])],
        ),
        (
            "no package manager that we know",
            replace(BASE, tools=frozenset({"wg"})),
            BASE,
            [("+", ["cannot_install wg"])],
        ),
        (
            "packages go where asked",
            replace(BASE, manager="dnf"),
            replace(BASE, manager="dnf", packages=frozenset({"wireguard-tools"})),
            [("-", ["remove_packages dnf wireguard-tools"])],
        ),
        ("teardown takes no package away", BASE, replace(BASE, tools=frozenset({"wg"})), []),
    ],
    "keys": [
        (
            "no key yet",
            replace(BASE, key_mode="-rw-------"),
            BASE,
            [("+", ["generate_key /var/lib/wgorch/office/private_key"])],
        ),
        ("a key is there", replace(BASE, key_mode="-rw-------"), replace(BASE, key_mode="-rw-------"), []),
        (
            "others can read it",
            replace(BASE, key_mode="-rw-------"),
            replace(BASE, key_mode="-rw-r--r--"),
            [("~", ["chmod 600 /var/lib/wgorch/office/private_key"])],
        ),
        ("teardown keeps the key", BASE, replace(BASE, key_mode="-rw-------"), []),
        (
            "another one is asked for: it lies beside the old one at first",
            replace(BASE, key_mode="-rw-------", keys=frozenset({"<home>"})),
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY})),
            [("~", ["stage_key /var/lib/wgorch/office/private_key"])],
        ),
        (
            "it comes from elsewhere",
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY}), key_source=("pass", "show", "wg")),
            BASE,
            [("+", ["import_key /var/lib/wgorch/office/private_key pass show wg"])],
        ),
        (
            "what it comes from has another one now",
            replace(BASE, key_mode="-rw-------", keys=frozenset({OTHER}), key_source=("cat", "/etc/key")),
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY})),
            [("~", ["import_key /var/lib/wgorch/office/private_key cat /etc/key"])],
        ),
    ],
    "interface": [
        ("as wanted", UP, UP, []),
        (
            "missing",
            UP,
            BASE,
            [
                (
                    "+",
                    [
                        "make_interface wg0",
                        f"set_key wg0 {KEY} listen-port 51820",
                        "ip link set dev wg0 alias wgorch:office",
                        "ip link set dev wg0 mtu 1420 up",
                    ],
                )
            ],
        ),
        ("torn down", BASE, UP, [("-", ["end_interface wg0"])]),
        (
            "another port",
            UP,
            replace(BASE, interface=replace(WG0, listen_port=40000)),
            [("~", ["wg set wg0 listen-port 51820"])],
        ),
        (
            "another key",
            UP,
            replace(BASE, interface=replace(WG0, public_key=OTHER)),
            [("~", [f"set_key wg0 {KEY}"])],
        ),
        ("another MTU", UP, replace(BASE, interface=replace(WG0, mtu=1500)), [("~", ["ip link set dev wg0 mtu 1420"])]),
        ("it is down", UP, replace(BASE, interface=replace(WG0, up=False)), [("~", ["ip link set dev wg0 up"])]),
        ("it was down", replace(BASE, interface=replace(WG0, up=False)), UP, [("~", ["ip link set dev wg0 down"])]),
        (
            "it is made again as it was: down",
            replace(BASE, interface=replace(WG0, up=False)),
            BASE,
            [
                (
                    "+",
                    [
                        "make_interface wg0",
                        f"set_key wg0 {KEY} listen-port 51820",
                        "ip link set dev wg0 alias wgorch:office",
                        "ip link set dev wg0 mtu 1420",
                    ],
                )
            ],
        ),
    ],
    "addresses": [
        (
            "as wanted",
            replace(UP, addresses=frozenset({"10.0.0.1/24"})),
            replace(UP, addresses=frozenset({"10.0.0.1/24"})),
            [],
        ),
        (
            "another one",
            replace(UP, addresses=frozenset({"10.0.0.1/24"})),
            replace(UP, addresses=frozenset({"10.0.0.9/24"})),
            [("+", ["ip address replace 10.0.0.1/24 dev wg0"]), ("-", ["ip address delete 10.0.0.9/24 dev wg0"])],
        ),
        ("they go with the interface", BASE, replace(UP, addresses=frozenset({"10.0.0.1/24"})), []),
    ],
    "peers": [
        ("as wanted", replace(UP, **with_peer("10.0.0.2/32")), replace(UP, **with_peer("10.0.0.2/32")), []),
        (
            "missing",
            replace(UP, **with_peer("10.0.0.2/32", "10.10.13.0/24", endpoint="203.0.113.13:38371", keepalive=15)),
            UP,
            [
                (
                    "+",
                    [
                        f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32,10.10.13.0/24 "
                        "endpoint 203.0.113.13:38371 persistent-keepalive 15"
                    ],
                )
            ],
        ),
        (
            "it lacks a network: its whole list is stated",
            replace(UP, **with_peer("10.0.0.2/32", "10.10.13.0/24")),
            replace(UP, **with_peer("10.0.0.2/32")),
            [("~", [f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32,10.10.13.0/24 persistent-keepalive 0"])],
        ),
        (
            "an endpoint learned from its packets is no difference",
            replace(UP, **with_peer("10.0.0.2/32")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="198.51.100.7:4000")),
            [],
        ),
        (
            "an endpoint by name is compared by its port",
            replace(UP, **with_peer("10.0.0.2/32", endpoint="bcc.example:51820")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.13:51820")),
            [],
        ),
        (
            "another endpoint",
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.13:51820")),
            replace(UP, **with_peer("10.0.0.2/32", endpoint="203.0.113.14:51820")),
            [
                (
                    "~",
                    [
                        f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32 "
                        "endpoint 203.0.113.13:51820 persistent-keepalive 0"
                    ],
                )
            ],
        ),
        (
            "another keepalive",
            replace(UP, **with_peer("10.0.0.2/32", keepalive=25)),
            replace(UP, **with_peer("10.0.0.2/32")),
            [("~", [f"wg set wg0 peer {PEER} allowed-ips 10.0.0.2/32 persistent-keepalive 25"])],
        ),
        (
            "another preshared key: its sessions end, so that the next one proves it",
            replace(UP, **with_peer("10.0.0.2/32", preshared="psk.bcc.2")),
            replace(UP, **with_peer("10.0.0.2/32", preshared="psk.bcc.1")),
            [
                (
                    "~",
                    [
                        f"wg set wg0 peer {PEER} remove peer {PEER} preshared-key /var/lib/wgorch/office/psk.bcc.2 "
                        "allowed-ips 10.0.0.2/32 persistent-keepalive 0"
                    ],
                )
            ],
        ),
        ("a stranger", UP, replace(UP, **with_peer("10.0.0.2/32")), [("-", [f"wg set wg0 peer {PEER} remove"])]),
        (
            "another key for the same host: the new one first, so that the address moves",
            replace(UP, **with_peer("10.0.0.2/32", key=OTHER)),
            replace(UP, **with_peer("10.0.0.2/32")),
            [
                ("+", [f"wg set wg0 peer {OTHER} allowed-ips 10.0.0.2/32 persistent-keepalive 0"]),
                ("-", [f"wg set wg0 peer {PEER} remove"]),
            ],
        ),
        ("they go with the interface", BASE, replace(UP, **with_peer("10.0.0.2/32")), []),
    ],
    "routes": [
        (
            "missing: no gateway, only the interface",
            replace(UP, routes=frozenset({"10.10.13.0/24"})),
            UP,
            [("+", ["ip route replace 10.10.13.0/24 dev wg0 proto 119"])],
        ),
        (
            "as wanted",
            replace(UP, routes=frozenset({"10.10.13.0/24"})),
            replace(UP, routes=frozenset({"10.10.13.0/24"})),
            [],
        ),
        (
            "no longer wanted",
            UP,
            replace(UP, routes=frozenset({"10.10.13.0/24"})),
            [("-", ["ip route delete 10.10.13.0/24 dev wg0 proto 119"])],
        ),
        ("they go with the interface", BASE, replace(UP, routes=frozenset({"10.10.13.0/24"})), []),
    ],
    "nft_table": [
        (
            "the whole table at once",
            replace(UP, nft={"postrouting 0123456789ab": 'oifname "eth0" masquerade'}),
            UP,
            [
                (
                    "+",
                    [
                        "nft -f -\ntable inet wgorch-office\ndelete table inet wgorch-office\ntable inet wgorch-office {\n"
                        "chain postrouting {\ntype nat hook postrouting priority 95; policy accept;\n"
                        'oifname "eth0" masquerade comment "wgorch:office 0123456789ab"\n}\n}'
                    ],
                )
            ],
        ),
        (
            "what somebody put into it goes",
            UP,
            replace(UP, nft={"forward 0123456789ab": "drop"}),
            [("-", ["nft -f -\ntable inet wgorch-office\ndelete table inet wgorch-office"])],
        ),
    ],
    "firewalld_prepare": [
        ("firewalld knows them", replace(UP, firewalld=ZONE, zones=ZONES), replace(UP, zones=ZONES), []),
        ("nothing is wanted of it", UP, UP, []),
    ],
    "firewalld": [
        (
            "the tunnel comes into the zone, and is let through",
            replace(UP, firewalld=ZONE),
            UP,
            [
                ("+", ["firewalld_set --zone=wgo-office --change-interface=wg0"]),
                ("+", ["firewalld_set --policy=wgo-office-udp --add-port=51820/udp"]),
            ],
        ),
        (
            "the tunnel leaves it last",
            UP,
            replace(UP, firewalld=ZONE | {"wgo-office forward yes"}),
            [
                ("-", ["firewalld_unset --zone=wgo-office --remove-forward"]),
                ("-", ["firewalld_unset --policy=wgo-office-udp --remove-port=51820/udp"]),
                ("-", ["firewalld_unset --zone=wgo-office --remove-interface=wg0"]),
            ],
        ),
    ],
    "drop_ins": [
        (
            "NetworkManager is told at once",
            replace(UP, drop_ins={"/etc/NetworkManager/conf.d/wgorch-office.conf": "text"}),
            UP,
            [
                (
                    "+",
                    [
                        "write_file /etc/NetworkManager/conf.d/wgorch-office.conf 644\ntext",
                        "reload_network_manager /etc/NetworkManager/conf.d/wgorch-office.conf",
                    ],
                )
            ],
        ),
        (
            "teardown takes it",
            UP,
            replace(UP, drop_ins={"/x.conf": "text"}),
            [("-", ["rm -f /x.conf", "reload_network_manager /x.conf"])],
        ),
    ],
    "firewalld_permanent": [
        (
            "what differs is written",
            replace(UP, zone_files={"wgo-office": "a", "wgo-office-in": "b"}),
            replace(UP, zone_files={"wgo-office": "a", "wgo-office-in": "c"}),
            [("~", ["write_file /etc/firewalld/policies/wgo-office-in.xml 644\nb"])],
        ),
        (
            "teardown takes the files",
            UP,
            replace(UP, zone_files={"wgo-office": "a"}),
            [("-", ["rm -f /etc/firewalld/zones/wgo-office.xml /etc/firewalld/zones/wgo-office.xml.old"])],
        ),
    ],
    "exit_routes": [
        (
            "everything leaves by the tunnel: the routes first",
            replace(UP, ways=frozenset({"-4 default dev wg0 table 7"}), policy=frozenset({RULE})),
            UP,
            [
                ("+", ["ip -4 route replace default dev wg0 table 7 proto 119"]),
                ("+", [f"set_policy_rule {RULE}"]),
            ],
        ),
        (
            "no more: the rules first",
            UP,
            replace(UP, ways=frozenset({"-4 default dev wg0 table 7"}), policy=frozenset({RULE})),
            [
                ("-", [f"delete_policy_rule {RULE}"]),
                ("-", ["ip -4 route delete default dev wg0 table 7 proto 119"]),
            ],
        ),
    ],
    "dns": [
        ("set", replace(UP, dns=("9.9.9.9", "1.1.1.1")), UP, [("+", ["set_dns wgorch:office 9.9.9.9 1.1.1.1"])]),
        ("as wanted", replace(UP, dns=("9.9.9.9",)), replace(UP, dns=("9.9.9.9",)), []),
        ("put back", BASE, replace(UP, dns=("9.9.9.9",)), [("-", ["restore_dns wgorch:office"])]),
    ],
    "map_lans": [
        (
            "a LAN under another name",
            with_chain(MAP, NETMAP),
            replace(UP, tables=frozenset({"nat"})),
            [
                (
                    "+",
                    [
                        "note_chain nat PREROUTING",
                        f"remove_jump nat PREROUTING wgorch:office {MAP.name}",
                        restored(MAP, f"-A {MAP.name} {NETMAP}", f"-I PREROUTING 1 {JUMP} {MAP.name}"),
                    ],
                )
            ],
        ),
    ],
    "forwarding": [
        (
            "our card's value is written, the host's own is recorded",
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1", "net/ipv4/conf/ens192/forwarding": "1"}),
            replace(BASE, sysctls={"net/ipv4/conf/ens192/forwarding": "0"}),
            [
                ("~", ["set_value net/ipv4/conf/ens192/forwarding 1"]),
                ("~", ["write_sysctl net/ipv4/conf/wg0/forwarding 1"]),
            ],
        ),
        (
            "as wanted",
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1"}),
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1"}),
            [],
        ),
        (
            "torn down: only what outlives the interface is given back",
            replace(BASE, sysctls={"net/ipv4/conf/ens192/forwarding": "0", "net/ipv4/conf/wg0/forwarding": "0"}),
            replace(UP, sysctls={"net/ipv4/conf/ens192/forwarding": "1", "net/ipv4/conf/wg0/forwarding": "1"}),
            [("~", ["set_value net/ipv4/conf/ens192/forwarding 0"])],
        ),
    ],
    "forward_rules": [
        (
            "missing, and its table too",
            with_chain(FWD, ACCEPT),
            UP,
            [("+", ["note_table filter", UNJUMP, restored(FWD, A, I)])],
        ),
        (
            "missing in a table that is there",
            with_chain(FWD, ACCEPT),
            replace(UP, tables=frozenset({"filter"})),
            [("+", ["note_chain filter FORWARD", UNJUMP, restored(FWD, A, I)])],
        ),
        ("as wanted", with_chain(FWD, ACCEPT), with_chain(FWD, ACCEPT), []),
        (
            "a rule is missing: the whole chain is stated",
            with_chain(FWD, ACCEPT, LAN),
            with_chain(FWD, ACCEPT),
            [("~", [UNJUMP, restored(FWD, A, f"-A {FWD.name} {LAN}", I)])],
        ),
        (
            "the rules are in another order",
            with_chain(FWD, ACCEPT, LAN),
            with_chain(FWD, LAN, ACCEPT),
            [("~", [UNJUMP, restored(FWD, A, f"-A {FWD.name} {LAN}", I)])],
        ),
        (
            "a foreign rule in our chain is kept behind ours",
            keep_foreign(with_chain(FWD, ACCEPT), with_chain(FWD, FOREIGN)),
            with_chain(FWD, FOREIGN),
            [("~", [UNJUMP, restored(FWD, A, f"-A {FWD.name} {FOREIGN}", I)])],
        ),
        (
            "the jump is missing",
            with_chain(FWD, ACCEPT),
            with_chain(FWD, ACCEPT, places=()),
            [("~", [UNJUMP, restored(FWD, A, I)])],
        ),
        (
            "the jump stands behind a rule of somebody",
            with_chain(FWD, ACCEPT),
            with_chain(FWD, ACCEPT, places=(2,)),
            [("~", [UNJUMP, restored(FWD, A, I)])],
        ),
        (
            "the jump is there twice",
            with_chain(FWD, ACCEPT),
            with_chain(FWD, ACCEPT, places=(1, 1)),
            [("~", [UNJUMP, restored(FWD, A, I)])],
        ),
        (
            "two jumps are given back at their places",
            with_chain(FWD, ACCEPT, places=(1, 3)),
            with_chain(FWD, ACCEPT),
            [("~", [UNJUMP, restored(FWD, A, I, f"-I FORWARD 4 {JUMP} {FWD.name}")])],
        ),
        (
            "torn down",
            nothing(UP),
            with_chain(FWD, ACCEPT),
            [("-", [UNJUMP, restored(FWD, f"-X {FWD.name}"), "drop_chain filter FORWARD"])],
        ),
        (
            "a jump without its chain is torn down as well",
            nothing(UP),
            replace(UP, jumps={FWD: (1,)}, tables=frozenset({"filter"})),
            [("-", [UNJUMP, restored(FWD, f"-X {FWD.name}"), "drop_chain filter FORWARD"])],
        ),
        (
            "torn down, with a foreign rule in it: the chain stays for its sake",
            keep_foreign(nothing(UP), with_chain(FWD, ACCEPT, FOREIGN)),
            with_chain(FWD, ACCEPT, FOREIGN),
            [("~", [UNJUMP, restored(FWD, f"-A {FWD.name} {FOREIGN}", I)])],
        ),
        ("the other chains are not its business", with_chain(NAT, ACCEPT), UP, []),
    ],
    "input_rules": [
        (
            "missing",
            with_chain(INPUT, ACCEPT),
            replace(UP, tables=frozenset({"filter"})),
            [
                (
                    "+",
                    [
                        "note_chain filter INPUT",
                        f"remove_jump filter INPUT wgorch:office {INPUT.name}",
                        restored(INPUT, f"-A {INPUT.name} {ACCEPT}", f"-I INPUT 1 {JUMP} {INPUT.name}"),
                    ],
                )
            ],
        )
    ],
    "masquerade": [
        (
            "torn down",
            nothing(UP),
            with_chain(NAT, ACCEPT),
            [
                (
                    "-",
                    [
                        f"remove_jump nat POSTROUTING wgorch:office {NAT.name}",
                        restored(NAT, f"-X {NAT.name}"),
                        "drop_chain nat POSTROUTING",
                    ],
                )
            ],
        )
    ],
    "clamp_mss": [("as wanted", with_chain(MSS, ACCEPT), with_chain(MSS, ACCEPT), [])],
    "empty_tables": [
        ("a table that we caused", BASE, replace(BASE, tables=frozenset({"nat"})), [("-", ["drop_table nat"])]),
        (
            "a table that was there",
            replace(BASE, tables=frozenset({"nat"})),
            replace(BASE, tables=frozenset({"nat"})),
            [],
        ),
    ],
}


@pytest.mark.parametrize(
    ("step", "want", "have", "expected"),
    [(step, want, have, expected) for step, rows in CASES.items() for _, want, have, expected in rows],
    ids=[f"{step}:_{name}".replace(" ", "_") for step, rows in CASES.items() for name, *_ in rows],
)
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, expected: list[tuple[str, list[str]]]
) -> None:
    assert expected == make(step, want, have)


def test_every_step_but_persist_has_a_table() -> None:
    assert set(all_steps()) - {"persist"} == set(CASES)


def test_every_step_says_in_one_line_what_it_is_for() -> None:
    assert [] == [name for name, step in all_steps().items() if not step.doc.endswith((".", ";"))]


def test_every_change_says_why() -> None:
    changes = [
        change for step, rows in CASES.items() for _, want, have, _ in rows for change in all_steps()[step](want, have)
    ]

    assert [] == [c for c in changes if not c.why or not c.what or "\n" in c.why + c.what]


def test_the_unit_is_written_enabled_and_taken_away() -> None:
    base = replace(BASE, starter="systemd")
    up = make("persist", replace(base, units={"systemd": "d"}), base)
    down = make("persist", base, replace(base, units={"systemd": "d"}))

    assert ["write_file", "systemctl", "systemctl"] == [line.split()[0] for line in up[0][1]]
    assert [] == make("persist", replace(base, units={"systemd": "d"}), replace(base, units={"systemd": "d"}))
    assert "rm -f /etc/systemd/system/wgorch-office.service" in down[0][1]


def test_where_cron_runs_alone_it_starts_the_network_and_looks_after_peers() -> None:
    base = replace(BASE, starter="cron")
    up = make("persist", replace(base, units={"cron": "d"}, watch="w", watch_text="#!/bin/sh"), base)
    down = make("persist", base, replace(base, units={"cron": "d"}, watch="w"))

    assert up[0][1][0].startswith("write_file /etc/cron.d/wgorch-office 644\n")
    assert "@reboot root /bin/sh /var/lib/wgorch/office/boot" in up[0][1][0]
    assert up[1][1] == ["write_file /var/lib/wgorch/office/watch 600\n#!/bin/sh"]
    assert [commands for _, commands in down] == [
        ["rm -f /etc/cron.d/wgorch-office"],
        ["rm -f /var/lib/wgorch/office/watch"],
    ]


def test_another_starter_takes_over_and_one_that_does_not_run_is_no_trouble() -> None:
    cron, openrc = replace(BASE, units={"cron": "c"}), replace(BASE, starter="openrc", units={"openrc": "o"})
    changes = make("persist", openrc, cron)

    assert ["+", "-"] == [sign for sign, _ in changes]
    assert "rc-update --quiet add wgorch-office default" in changes[0][1]
    assert ["rm -f /etc/cron.d/wgorch-office"] == changes[1][1]
    assert [("-", ["rm -f /etc/cron.d/wgorch-office"])] == make("persist", BASE, cron)


@pytest.mark.parametrize("comment", ["two words", "it's", 'a "quote"', "a ] bracket", "back\\slash", "$(touch x)", "*"])
def test_a_foreign_comment_comes_out_of_iptables_restore_as_it_was(comment: str) -> None:
    foreign = Rule(("-s", "10.9.0.0/16", "-m", "comment", "--comment", comment, "-j", "ACCEPT"))
    have = with_chain(FWD, foreign)
    change = next(iter(all_steps()["forward_rules"](keep_foreign(with_chain(FWD, ACCEPT), have), have)))
    lines = change.commands[-1].stdin.split("\n")

    written = next(line for line in lines if "10.9.0.0" in line)

    assert ("-A", FWD.name, *foreign.words) == restore_words(written)
