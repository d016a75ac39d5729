"""Plans on a model of the kernel: from any state to any other, back from any point between, and down to nothing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.conftest import ALL
from tests.plan.kernel import Kernel, on_interface
from wgorch.apply.upload import pieces, script_words, write_file
from wgorch.base.assets import shipped
from wgorch.gather.gather import asking
from wgorch.inventory.model import Network
from wgorch.plan.host import _backwards, changes_between
from wgorch.plan.playbook import Playbook, load
from wgorch.plan.probe import probe_script
from wgorch.plan.scope import keep_foreign
from wgorch.plan.script import boot_script, script
from wgorch.state.change import Change, Command
from wgorch.state.rules import Rule, foreign_rules, our_chains, rule
from wgorch.state.state import State, nothing
from wgorch.state.wireguard import Interface, Peer

NETWORK = Network("office", (ip_network("192.168.2.0/24"),))
OTHER = Network("branch", (ip_network("192.168.3.0/24"),), "wg1")
OWN = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA="
KEYS = [f"{c * 42}A=" for c in "bcde"]
NETS = ["192.168.2.2/32", "192.168.2.3/32", "10.10.13.0/24", "10.20.0.0/16", "fd00::2/128"]
ENDPOINTS = ["203.0.113.13:38371", "203.0.113.14:51820"]
TUNNEL_VALUES = ["net/ipv4/conf/wg0/forwarding", "net/ipv4/conf/wg0/send_redirects"]
HOST_VALUES = ["net/ipv4/conf/eth0/forwarding", "net/ipv4/conf/all/send_redirects"]

POLICY = [
    "-4 11901 from all lookup main suppress_prefixlength 0 proto 119",
    "-4 11902 not from all fwmark 0x7 lookup 7 proto 119",
    "-6 11902 not from all fwmark 0x7 lookup 7 proto 119",
]
WAYS = ["-4 default dev wg0 table 7", "-4 unreachable default metric 4294967295 table 7"]

NFT = {
    "postrouting 0123456789ab": 'ip saddr 192.168.2.0/24 oifname "eth0" masquerade',
    "forward 0123456789ac": 'oifname "wg0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu',
}
FIREWALLD = [
    "wgo-office interface wg0",
    "wgo-office forward yes",
    'wgo-office-in rule rule family="ipv4" destination address="10.10.13.0/24" accept',
    "wgo-office-udp port 38371/udp",
]

UP: Playbook = load(shipped("playbooks") / "up.yaml")
DOWN: Playbook = load(shipped("playbooks") / "teardown.yaml")
BUILT = list(UP.steps("tunnel", "traffic"))

THEIRS = [
    rule("-s 10.9.0.0/16", "somebody", "ACCEPT"),
    Rule(("-j", "REJECT", "--reject-with", "icmp-port-unreachable")),
    Rule(("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")),
]
OURS = [
    rule("-i wg0 -o wg0", NETWORK.mark, "ACCEPT"),
    rule("-d 10.10.13.0/24 -i wg0 -o eth0", NETWORK.mark, "ACCEPT"),
    rule("-s 10.10.13.0/24 -i eth0 -o wg0", NETWORK.mark, "ACCEPT"),
]

Foreign = dict[tuple[str, str], list[Rule]]


def examples(few: int) -> int:
    """So many drawn states, and ten times as many in `make test-all`."""
    return few * 10 if ALL else few


@st.composite
def peers(draw: st.DrawFn) -> dict[str, Peer]:
    """Peers whose allowed-ips are disjoint, as the kernel keeps them."""
    owners = draw(st.lists(st.sampled_from([*KEYS, None]), min_size=len(NETS), max_size=len(NETS)))
    found = {}
    for key in draw(st.sets(st.sampled_from(KEYS))):
        nets = tuple(net for net, owner in zip(NETS, owners, strict=True) if owner == key)
        endpoint = draw(st.sampled_from([None, *ENDPOINTS]))
        secret = draw(st.sampled_from(["", "psk.bcc.1", "psk.bcc.2"]))
        found[key] = Peer(key, nets, endpoint, draw(st.sampled_from([0, 25])), preshared=secret)
    return found


@st.composite
def states(draw: st.DrawFn, *, wanted: bool) -> State:
    """A State: as one wants it, or as one may find it, with foreign rules in our chains and jumps anywhere."""
    up = draw(st.booleans()) if not wanted else True
    interface = None
    if draw(st.integers(0, 3)):
        mtu, port = draw(st.sampled_from([1420, 1400])), draw(st.sampled_from([51820, 38371]))
        interface = Interface("wg0", NETWORK.mark, mtu, port, OWN, up, draw(st.sampled_from([0, NETWORK.table])))
    chains, jumps = {}, {}
    for chain in our_chains(NETWORK):
        if draw(st.booleans()):
            kinds = OURS if wanted else [*OURS, *THEIRS[:1]]
            chains[chain] = tuple(draw(st.lists(st.sampled_from(kinds), unique=True, min_size=int(wanted), max_size=3)))
            jumps[chain] = (1,) if wanted else draw(st.sampled_from([(1,), (1,), (), (2,), (1, 2), (1, 1)]))
    jumps = {chain: places for chain, places in jumps.items() if places}
    values = {path: draw(st.sampled_from("01")) for path in (TUNNEL_VALUES if interface else [])}
    if wanted:
        values = dict(draw(st.sets(st.sampled_from(sorted(values.items()))))) if values else {}
    return State(
        mark=NETWORK.mark,
        directory=NETWORK.directory,
        **on_interface(
            interface,
            draw(st.sets(st.sampled_from(["192.168.2.1/24", "192.168.2.9/24"]))) if interface else (),
            draw(peers()) if interface else {},
            draw(st.sets(st.sampled_from(NETS[2:4]))) if interface and up else (),
        ),
        policy_rules=frozenset(draw(st.sets(st.sampled_from(POLICY)))),
        exit_routes=frozenset(draw(st.sets(st.sampled_from(WAYS)))) if interface and up else frozenset(),
        nft=dict(draw(st.sets(st.sampled_from(sorted(NFT.items()))))),
        firewalld=frozenset(draw(st.sets(st.sampled_from(FIREWALLD)))),
        chains=chains,
        jumps=jumps,
        tables=frozenset(chain.table for chain in chains),
        sysctls={**values, **{path: draw(st.sampled_from("01")) for path in HOST_VALUES}},
    )


@st.composite
def foreigners(draw: st.DrawFn) -> Foreign:
    """Rules of others in the parent chains; two at least, so that any jump has its place."""
    places = {(chain.table, chain.parent) for chain in our_chains(NETWORK)}
    return {place: draw(st.permutations(THEIRS)) for place in sorted(places)}


def settled(want: State, have: State, foreign: Foreign) -> tuple[State, State]:
    """Both sides as a plan compares them: foreign rules kept, foreign tables there, values that the wish names."""
    there = frozenset(table for table, _ in foreign)
    have = replace(have, tables=have.tables | there)
    want = keep_foreign(replace(want, tables=want.tables | there), have)
    return want, replace(have, sysctls={p: v for p, v in have.sysctls.items() if p in want.sysctls})


def commands(changes: Sequence[Change]) -> list[Command]:
    return [command for change in changes for command in change.commands]


def order(want: State) -> list:
    """Up's steps where something is wanted, teardown's where not."""
    return BUILT if want.interfaces else list(DOWN.steps("traffic", "tunnel"))


def do(want: State, have: State) -> list[Change]:
    return list(changes_between(want, have, order(want)))


def undo(want: State, have: State) -> list[Change]:
    return list(changes_between(have, want, _backwards(order(want))))


def compared(state: State, like: State) -> State:
    """A State without what no command can state: an endpoint that nobody asks for stays as it is."""
    found = {
        name: {
            key: replace(peer, endpoint=peer.endpoint if (like.peers.get(name, {}).get(key) or peer).endpoint else None)
            for key, peer in its.items()
        }
        for name, its in state.peers.items()
    }
    sysctls = {path: value for path, value in state.sysctls.items() if path in like.sysctls}
    tables = state.tables & like.tables
    return replace(state, peers=found, sysctls=sysctls, tables=tables)


thorough = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(states(wanted=True))
def test_a_host_that_is_as_wanted_needs_nothing(state: State) -> None:
    assert [] == do(state, state)
    assert [] == undo(state, state)


@thorough
@given(states(wanted=True), states(wanted=False), foreigners())
def test_a_plan_leads_from_any_state_to_the_wanted_one(want: State, have: State, foreign: Foreign) -> None:
    want, have = settled(want, have, foreign)
    kernel = Kernel.of(have, NETWORK, OWN, foreign)

    kernel.run(commands(do(want, have)))

    assert compared(want, want) == compared(kernel.state(want), want)
    assert [] == do(want, kernel.state(want))
    assert foreign == kernel.foreign()


@thorough
@given(states(wanted=True), states(wanted=False), foreigners())
def test_running_a_plan_twice_equals_running_it_once(want: State, have: State, foreign: Foreign) -> None:
    want, have = settled(want, have, foreign)
    once = Kernel.of(have, NETWORK, OWN, foreign).run(commands(do(want, have)))
    twice = once.copy().run(commands(do(want, have)))

    assert once == twice


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners(), st.data())
def test_a_plan_cut_anywhere_can_be_taken_back(want: State, have: State, foreign: Foreign, data: st.DataObject) -> None:
    want, have = settled(want, have, foreign)
    forth, back = commands(do(want, have)), commands(undo(want, have))
    cut = data.draw(st.integers(0, len(forth)))
    kernel = Kernel.of(have, NETWORK, OWN, foreign).run(forth[:cut])

    kernel.run(back)

    assert compared(have, have) == compared(kernel.state(have), have)
    assert foreign == kernel.foreign()


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners(), st.data())
def test_a_plan_cut_anywhere_can_be_begun_again(
    want: State, have: State, foreign: Foreign, data: st.DataObject
) -> None:
    want, have = settled(want, have, foreign)
    forth, back = commands(do(want, have)), commands(undo(want, have))
    kernel = Kernel.of(have, NETWORK, OWN, foreign).run(forth[: data.draw(st.integers(0, len(forth)))])
    kernel.run(back[: data.draw(st.integers(0, len(back)))])

    kernel.run(forth)

    assert compared(want, want) == compared(kernel.state(want), want)
    assert foreign == kernel.foreign()


@thorough
@given(states(wanted=False), foreigners())
def test_a_plan_for_nothing_gives_the_host_back(have: State, foreign: Foreign) -> None:
    tables = frozenset(table for table, _ in foreign)
    have = replace(have, tables=have.tables | tables, sysctls={})
    base = keep_foreign(replace(nothing(have), tables=tables), have)
    kernel = Kernel.of(have, NETWORK, OWN, foreign)

    kernel.run(commands(list(changes_between(base, have, DOWN.steps("traffic", "tunnel")))))

    left = kernel.state(base)
    kept = {chain: foreign_rules(rules, NETWORK.mark) for chain, rules in have.chains.items()}
    assert ({}, {}, {}, {}) == (left.interfaces, left.addresses, left.peers, left.routes)
    assert {chain: rules for chain, rules in kept.items() if rules} == left.chains
    assert foreign == kernel.foreign()


@thorough
@given(states(wanted=True), foreigners())
def test_the_boot_program_makes_the_state_out_of_nothing(want: State, foreign: Foreign) -> None:
    assume(want.interfaces)
    want = replace(want, tables=want.tables | {table for table, _ in foreign})
    fresh = replace(nothing(want), tables=frozenset(), sysctls=dict.fromkeys(HOST_VALUES, "1"))
    kernel = Kernel.of(replace(fresh, tables=want.tables), NETWORK, OWN, foreign)

    kernel.run(commands(list(changes_between(want, nothing(want), BUILT))))

    assert compared(want, want) == compared(kernel.state(want), want)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), foreigners())
def test_two_networks_on_one_host_leave_each_other_alone(want: State, foreign: Foreign) -> None:
    theirs = {
        place: [Rule(("-m", "comment", "--comment", OTHER.mark, "-j", f"wgorch-branch-{place[0]}")), *rules]
        for place, rules in foreign.items()
    }
    want, have = settled(want, nothing(want), theirs)
    kernel = Kernel.of(replace(have, sysctls=dict.fromkeys(HOST_VALUES, "1")), NETWORK, OWN, theirs)
    for table, _ in theirs:
        kernel.tables[table][f"wgorch-branch-{table}"] = []
    have = replace(have, sysctls=kernel.sysctls)
    have = kernel.state(have)
    before = kernel.foreign()

    kernel.run(commands(do(want, have)))
    assert [] == do(want, kernel.state(want))
    kernel.run(commands(undo(want, have)))

    assert before == kernel.foreign()
    assert compared(have, have) == compared(kernel.state(have), have)


# --- as text

PLAIN = {chr(c) for c in range(0x20, 0x7F)} | {"\n"}


def texts(want: State, have: State) -> list[str]:
    """Every script that is made of a pair of states."""
    header = {"host": "h", "network": "office", "interface": "wg0", "subnet": "192.168.2.0/24"}
    return [
        script("forth", want, do(want, have)).text,
        script("back", want, undo(want, have)).text,
        boot_script(want, changes_between(want, nothing(want), BUILT), header, "wg0", ["eth0"], NETWORK.table).text,
        probe_script(want, have),
    ]


@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners())
def test_every_program_is_sh_that_parses(want: State, have: State, foreign: Foreign) -> None:
    want, have = settled(want, have, foreign)
    for text in texts(want, have):
        checked = subprocess.run(["sh", "-n"], input=text.encode(), capture_output=True, check=False)

        assert (0, b"") == (checked.returncode, checked.stderr)


def test_the_questions_are_sh_without_their_comments_too() -> None:
    told = "\n".join(asking().values())
    assert not re.search(r"^(#|[ \t])", told, re.M)
    assert 0 == subprocess.run(["sh", "-n"], input=told.encode(), check=False).returncode


@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners())
def test_the_sh_of_this_machine_writes_a_program_from_pieces(want: State, have: State, foreign: Foreign) -> None:
    want, have = settled(want, have, foreign)[:2]
    made = script("forth", want, do(want, have))
    with TemporaryDirectory() as place:
        sh = "\n".join([*pieces(frozenset(made.pieces)).values(), write_file("do", *script_words(made))])
        subprocess.run(["sh"], input=sh, text=True, cwd=place, check=True)
        assert made.text == (Path(place) / "do").read_text()


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners())
def test_every_program_is_printable_ascii(want: State, have: State, foreign: Foreign) -> None:
    want, have = settled(want, have, foreign)

    assert set() == {c for text in texts(want, have) for c in text} - PLAIN


@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(states(wanted=True), states(wanted=False), foreigners(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_were_found_changes_no_program(
    want: State, have: State, foreign: Foreign, random: object
) -> None:
    want, have = settled(want, have, foreign)

    def shuffled(state: State) -> State:
        def mixed(values: dict) -> dict:
            items = list(values.items())
            random.shuffle(items)  # type: ignore[attr-defined]
            return dict(items)

        return replace(
            state, peers={name: mixed(dict(its)) for name, its in state.peers.items()}, chains=mixed(dict(state.chains)), jumps=mixed(dict(state.jumps)),
            sysctls=mixed(dict(state.sysctls)),
        )  # fmt: skip

    assert texts(want, have) == texts(shuffled(want), shuffled(have))
