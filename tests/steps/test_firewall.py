"""The steps of steps/firewall.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.plan.kernel import restore_words
from tests.steps.table import (
    ACCEPT,
    BASE,
    FOREIGN,
    FWD,
    INPUT,
    JUMP,
    LAN,
    MAP,
    MSS,
    NAT,
    NETMAP,
    UNJUMP,
    UP,
    A,
    I,
    Row,
    make,
    restored,
    rows,
    with_chain,
)
from wgorch.plan.scope import keep_foreign
from wgorch.state.rules import Chain, Rule, rule
from wgorch.state.state import State, nothing
from wgorch.steps import all_steps

POLICY = Chain("mangle", "INPUT", "wgorch-office-pin")
PASSES, DROPS = rule("-s 10.0.0.1/32", BASE.mark, "RETURN"), rule("", BASE.mark, "DROP")
ENDED = rule(f"-s 10.0.0.2/32 -m comment --comment {BASE.mark}", "until:100", "RETURN")


def stated(*rules: Rule) -> str:
    lines = (f"-A {POLICY.name} {rule}" for rule in rules)
    return "\n".join([f"restate_chain mangle INPUT wgorch:office {POLICY.name} 1", *lines])


TABLE: Mapping[str, list[Row]] = {
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
            [("~", [f"restate_chain filter FORWARD wgorch:office {FWD.name} 1 3\n{A}"])],
        ),
        (
            "torn down",
            nothing(UP),
            with_chain(FWD, ACCEPT),
            [("-", ["note_table filter", UNJUMP, restored(FWD, f"-X {FWD.name}"), "drop_chain filter FORWARD"])],
        ),
        (
            "a jump without its chain is torn down as well",
            nothing(UP),
            replace(UP, jumps={FWD: (1,)}, tables=frozenset({"filter"})),
            [("-", ["note_table filter", UNJUMP, restored(FWD, f"-X {FWD.name}"), "drop_chain filter FORWARD"])],
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
                        "note_table nat",
                        f"remove_jump nat POSTROUTING wgorch:office {NAT.name}",
                        restored(NAT, f"-X {NAT.name}"),
                        "drop_chain nat POSTROUTING",
                    ],
                )
            ],
        )
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
    "policy_chains": [
        (
            "the first of a policy: connections are tracked before, and the rules come with their jump",
            with_chain(POLICY, PASSES, DROPS),
            replace(UP, tables=frozenset({"mangle"})),
            [
                ("+", ["note_chain mangle INPUT", "track_connections office mangle wg0"]),
                ("+", ["note_chain mangle INPUT", stated(PASSES, DROPS)]),
            ],
        ),
        ("as wanted", with_chain(POLICY, PASSES, DROPS), with_chain(POLICY, PASSES, DROPS), []),
        (
            "a rule whose time is over is no difference",
            replace(with_chain(POLICY, PASSES, ENDED, DROPS), clock=100),
            with_chain(POLICY, PASSES, DROPS),
            [],
        ),
        (
            "nor is it stated again",
            replace(with_chain(POLICY, PASSES, ENDED, DROPS), clock=100),
            with_chain(POLICY, DROPS),
            [("~", [stated(PASSES, DROPS)])],
        ),
        (
            "one that ends later is stated, and seen to",
            replace(with_chain(POLICY, PASSES, ENDED, DROPS), clock=99),
            with_chain(POLICY, DROPS),
            [("~", [stated(PASSES, ENDED, DROPS), "end_rules office"])],
        ),
        (
            "the jump is in the wrong place",
            with_chain(POLICY, DROPS),
            with_chain(POLICY, DROPS, places=(3,)),
            [("~", [stated(DROPS)])],
        ),
        (
            "no longer wanted",
            replace(UP, tables=frozenset({"mangle"})),
            with_chain(POLICY, DROPS),
            [
                (
                    "-",
                    [
                        f"remove_jump mangle INPUT wgorch:office {POLICY.name}",
                        restored(POLICY, f"-X {POLICY.name}"),
                        "drop_chain mangle INPUT",
                    ],
                )
            ],
        ),
    ],
    "clamp_mss": [("as wanted", with_chain(MSS, ACCEPT), with_chain(MSS, ACCEPT), [])],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)


@pytest.mark.parametrize("comment", ["two words", "it's", 'a "quote"', "a ] bracket", "back\\slash", "$(touch x)", "*"])
def test_a_foreign_comment_comes_out_of_iptables_restore_as_it_was(comment: str) -> None:
    foreign = Rule(("-s", "10.9.0.0/16", "-m", "comment", "--comment", comment, "-j", "ACCEPT"))
    have = with_chain(FWD, foreign)
    change = next(iter(all_steps()["forward_rules"](keep_foreign(with_chain(FWD, ACCEPT), have), have)))
    lines = change.commands[-1].stdin.split("\n")

    written = next(line for line in lines if "10.9.0.0" in line)

    assert ("-A", FWD.name, *foreign.words) == restore_words(written)
