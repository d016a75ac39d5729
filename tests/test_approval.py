"""Approvals: real signatures of ssh-keygen, and every kind of one that does not count."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.inventory.mistyped import BASE
from wgorch.approval import NAMESPACE, Signed, approvers, judge, message, rules_in_force, sign
from wgorch.errors import UsageError
from wgorch.facts.files import Files
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.dump import dump_text
from wgorch.inventory.load import approval_rule_of, load, loads
from wgorch.inventory.model import Inventory
from wgorch.plan.members import compose

DIGEST = "ab" * 32


class People:
    """Keys, and the rules and signatures made of them."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def key(self, name: str) -> Path:
        path = self.place / name
        if not path.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@x", "-f", str(path)]
            subprocess.run(words, check=True, timeout=20)
        return path

    def public(self, name: str) -> str:
        self.key(name)
        return " ".join((self.place / f"{name}.pub").read_text().split()[:2])

    def signer(self, name: str, options: str = "", principal: str = "") -> str:
        return " ".join(filter(None, [principal or f"{name}@x", options, self.public(name)]))

    def signed(self, name: str, text: bytes = b"", namespace: str = NAMESPACE) -> str:
        words = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(self.key(name))]
        given = text or message(DIGEST)
        return subprocess.run(words, input=given, capture_output=True, check=True, timeout=20).stdout.decode()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("keys"))


def rule(people: People, needs: int = 2, *more: str, revoked: tuple[str, ...] = ()) -> ApprovalRule:
    return ApprovalRule(needs, (people.signer("anna"), people.signer("ben"), *more), revoked)


def test_different_signers_count(people: People) -> None:
    signed = Signed(DIGEST, {name: people.signed(name) for name in ("anna", "ben")})

    assert (["anna@x", "ben@x"], []) == tuple(judge(rule(people), signed))


Bad = Callable[[People], tuple[ApprovalRule, dict[str, str]]]

BAD: dict[str, Bad] = {
    "of another plan": lambda p: (rule(p), {"ben": p.signed("ben", message("cd" * 32))}),
    "of another namespace": lambda p: (rule(p), {"ben": p.signed("ben", namespace="file")}),
    "of no signer": lambda p: (rule(p), {"eve": p.signed("eve")}),
    "expired": lambda p: (
        rule(p, 2, p.signer("old", 'valid-before="20200101"')),
        {"old": p.signed("old")},
    ),
    "not valid yet": lambda p: (rule(p, 2, p.signer("new", 'valid-after="20990101"')), {"new": p.signed("new")}),
    "for other purposes only": lambda p: (
        rule(p, 2, p.signer("git", 'namespaces="git"')),
        {"git": p.signed("git")},
    ),
    "revoked": lambda p: (rule(p, revoked=(p.public("ben"),)), {"ben": p.signed("ben")}),
    "copied": lambda p: (rule(p), {"anna2": p.signed("anna")}),
    "of one person twice": lambda p: (
        rule(p, 2, p.signer("second", principal="anna@x")),
        {"second": p.signed("second")},
    ),
    "of one key under two names": lambda p: (
        rule(p, 2, f"zoe@x {p.public('anna')}"),
        {"zoe": p.signed("anna")},
    ),
    "of one person under two names": lambda p: (
        rule(p, 2, f"anna@x,anna@work {p.public('work')}"),
        {"work": p.signed("work")},
    ),
    "cut": lambda p: (rule(p), {"ben": p.signed("ben")[:150]}),
    "edited": lambda p: (rule(p), {"ben": _edited(p.signed("ben"))}),
    "empty": lambda p: (rule(p), {"ben": ""}),
    "a plan": lambda p: (rule(p), {"ben": '{"kind": "wgorch plan"}'}),
    "of bytes": lambda p: (rule(p), {"ben": "\x00\ufffd" * 1000}),
    "a public key": lambda p: (rule(p), {"ben": p.public("ben")}),
}


def _edited(signature: str) -> str:
    lines = signature.split("\n")
    lines[-3] = ("B" if lines[-3][0] != "B" else "C") + lines[-3][1:]
    return "\n".join(lines)


@pytest.mark.parametrize("kind", BAD)
def test_a_signature_that_does_not_hold_does_not_count_and_the_reason_is_named(people: People, kind: str) -> None:
    its, bad = BAD[kind](people)
    name = next(iter(bad))
    found = judge(its, Signed(DIGEST, {"anna": people.signed("anna"), **bad}))

    assert ["anna@x"] == found.by
    assert [name] == [each.partition(": ")[0] for each in found.refused]
    assert 6 < len(found.refused[0].partition(": ")[2])
    assert "/tmp" not in found.refused[0]
    assert "\n" not in found.refused[0]


def test_the_name_of_a_file_forges_no_line(people: People) -> None:
    found = judge(rule(people), Signed(DIGEST, {"a\napproved by anna@x, ben@x.sig": "x"}))

    assert "\n" not in found.refused[0]


def test_a_key_signs_from_its_file_and_from_an_agent(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    home = people.place / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    for name in ("eve", "ben"):
        for end in ("", ".pub"):
            text = (people.key(name).parent / f"{name}{end}").read_text()
            path = home / ".ssh" / f"id_{name}{end}"
            path.write_text(text)
            path.chmod(0o600)
    its = rule(people)

    assert ["ben@x"] == judge(its, Signed(DIGEST, {"x": sign(DIGEST, None, [its])})).by
    assert ["anna@x"] == judge(its, Signed(DIGEST, {"x": sign(DIGEST, people.key("anna"), [its])})).by
    with pytest.raises(UsageError, match="none of your keys is a signer's"):
        sign(DIGEST, None, [ApprovalRule(1, (people.signer("anna"),))])
    with pytest.raises(UsageError, match="cannot sign with /nowhere"):
        sign(DIGEST, Path("/nowhere"), [its])


def test_without_ssh_keygen_nothing_counts(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = Signed(DIGEST, {"anna": people.signed("anna")})
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UsageError, match="ssh-keygen does not run"):
        judge(rule(people), signed)


# --- the rule


def on_hosts(record: str = "", *kept: str, number: int = 7) -> dict[str, object]:
    """What was read of hosts: the first has the record, the others the rule of their start-up script."""
    revision = f"{number} 1 me@here" if record else ""
    first = SimpleNamespace(slices={"revision": revision, "members": record}, files=Files())
    others = (SimpleNamespace(slices={}, files=Files(approval=text)) for text in kept)
    return {"bcc": first, **{f"host{n}": each for n, each in enumerate(others)}}


def record_with(its: ApprovalRule | None) -> str:
    inventory = replace(loads(BASE), approve=its)
    return compose(inventory, dict.fromkeys(inventory.hosts, "k"), {})


def test_the_last_confirmed_rule_counts_and_not_a_weaker_one(people: People) -> None:
    strong, weak = rule(people), rule(people, 1)
    ask = loads(BASE)

    def in_force(inventory: Inventory, record: ApprovalRule | str | None, *kept: str) -> list[ApprovalRule]:
        text = record if isinstance(record, str) else record_with(record)
        return rules_in_force(inventory, on_hosts(text, *kept))  # type: ignore[arg-type]

    for inventory in (ask, replace(ask, approve=weak), replace(ask, approve=strong)):
        assert [strong] == in_force(inventory, strong)
        assert [strong] == in_force(inventory, "", f"7 {strong.text}", f"6 {strong.text}")
        # The record of a relay that was off when the rule came, and a rule that another change replaced.
        assert [strong] == in_force(inventory, None, f"8 {strong.text}")
        assert [strong] == in_force(inventory, weak, f"8 {strong.text}", f"3 {weak.text}")
    assert {strong, weak} == {*in_force(ask, "", f"8 {strong.text}", f"7 {weak.text}")}
    # A host that was off when the rule was taken out.
    assert [] == in_force(ask, None, f"7 {strong.text}")
    assert [weak] == in_force(replace(ask, approve=weak), None)
    assert [weak] == rules_in_force(replace(ask, approve=weak), {})
    assert [] == rules_in_force(ask, on_hosts())  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", ['7 {"needs": "many"}', "7 ", "7", "x y", '{"needs": 1}'])
def test_a_rule_that_cannot_be_read_is_no_leave(people: People, kept: str) -> None:
    if kept.partition(" ")[2]:
        with pytest.raises(UsageError, match="cannot read"):
            rules_in_force(loads(BASE), on_hosts("", kept))  # type: ignore[arg-type]
    newer = record_with(rule(people)).replace('"needs"', '"wants"')
    with pytest.raises(UsageError, match="cannot read"):
        rules_in_force(loads(BASE), on_hosts(newer))  # type: ignore[arg-type]


def test_approvals_that_are_missing_are_counted_and_the_commands_named(people: People) -> None:
    seen = on_hosts(record_with(rule(people)))
    with pytest.raises(UsageError, match=r"needs 2 approvals(?s:.*)wgorch plan -o change.plan; then wgorch approve"):
        approvers(loads(BASE), seen, None)  # type: ignore[arg-type]
    one = Signed(DIGEST, {"a.sig": people.signed("anna"), "e.sig": people.signed("eve")})
    with pytest.raises(UsageError, match=r"needs 2 approvals and has 1 \(anna@x\)\n    e.sig: "):
        approvers(loads(BASE), seen, one)  # type: ignore[arg-type]
    two = Signed(DIGEST, {name: people.signed(name) for name in ("anna", "ben")})
    assert ("anna@x", "ben@x") == approvers(loads(BASE), seen, two)  # type: ignore[arg-type]
    assert () == approvers(loads(BASE), on_hosts(), None)  # type: ignore[arg-type]


# --- in the inventory


def test_signers_stand_in_a_file_or_in_the_inventory(people: People, tmp_path: Path) -> None:
    lines = [people.signer("anna", 'valid-before="20990101",namespaces="wgorch-plan,git"'), people.signer("ben")]
    written = "\n".join(f"{line}  her comment \N{GRINNING FACE}" for line in lines)
    (tmp_path / "signers").write_text(f"# who may sign\n\n{written}\n")
    path = tmp_path / "inventory.yaml"
    path.write_text(f"{BASE}\napprove: {{needs: 2, signers: signers}}\n")
    inventory = load(path)

    assert ApprovalRule(2, tuple(lines)) == inventory.approve
    assert inventory.approve == loads(dump_text(inventory)).approve == approval_rule_of(inventory.approve.text)


MISTAKES = {
    "approve: {needs: 2, signers: [KEY, 'anna@x OTHER']}": "approve.needs: 2 approvals, and the file has 1 signer",
    "approve: {needs: 1, signers: [anna@x ssh-ed25519 AAAAgarbage]}": "is no public key of ssh-ed25519",
    "approve: {needs: 1, signers: [KEY], revoked: [ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA]}": "is no public key of ssh-rsa",
    "approve: {needs: 1, signers: [äöü@x PUBLIC]}": "approve.signers[0]:",
    "approve: {needs: 1, signers: ~nosuch/x}": "approve.signers: cannot read ~nosuch/x: ",
    "approve: 2": "approve: expected a mapping, got a value",
    "approve: {needs: 2}": "approve.signers: missing",
    "approve: {signers: [KEY]}": "approve.needs: missing",
    "approve: {needs: 0, signers: [KEY]}": "approve.needs:",
    "approve: {needs: two, signers: [KEY]}": "approve.needs:",
    "approve: {needs: 2, signers: [KEY]}": "approve.needs: 2 approvals, and the file has 1 signer",
    "approve: {needs: 1, signers: [KEY], revoked: [PUBLIC]}": "approve.needs: 1 approval, and the file has 0 signers",
    "approve: {needs: 1, signers: []}": "approve.signers: has no line",
    "approve: {needs: 1, signers: [[a]]}": 'approve.signers[0]: "" is not a line of an allowed_signers file',
    "approve: {needs: 1, signers: [PUBLIC]}": "approve.signers[0]:",
    "approve: {needs: 1, signers: nowhere}": "approve.signers: nowhere is no file",
    "approve: {needs: 1, signers: .}": "approve.signers: . is no file",
    'approve: {needs: 1, signers: "a\\0b"}': "approve.signers:",
    "approve: {needs: 1, signers: {a: b}}": "approve.signers: expected a file, or a list of lines",
    "approve: {needs: 1, signers: [KEY], signer: x}": "approve.signer: unknown field",
    "approve: {needs: 1, signers: [KEY], revoked: [KEY]}": "approve.revoked[0]:",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_by_its_place(people: People, text: str) -> None:
    written = (
        text.replace("KEY", people.signer("anna"))
        .replace("PUBLIC", people.public("anna"))
        .replace("OTHER", people.public("ben"))
    )
    with pytest.raises(Exception, match="approve") as caught:
        loads(f"{BASE}\n{written}\n")

    line = BASE.count("\n") + 2
    assert f"inventory.yaml:{line}:" in str(caught.value)
    assert MISTAKES[text] in str(caught.value)
