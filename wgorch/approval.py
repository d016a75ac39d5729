"""Approvals: who must have signed a change, by the rule in force, and whose signatures hold.

`ssh-keygen -Y` signs and verifies, over one line of text: ``wgorch plan`` and the digest of the plan.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from wgorch.base.local import MISSING, Answer, ask
from wgorch.base.text import count, one_line
from wgorch.base.value import value
from wgorch.errors import InventoryError, UsageError
from wgorch.gather.observed import Observed
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.load import approval_rule_of
from wgorch.inventory.model import Inventory
from wgorch.plan.members import newest, parse

NAMESPACE = "wgorch-plan"
SIGN_TIMEOUT_S = 600
"""A person types a passphrase meanwhile, or touches a key."""


@value
class Signed:
    """A plan's digest, and what was signed of it."""

    digest: str
    signatures: Mapping[str, str]
    """Texts by the names of their files."""


class Approvals(NamedTuple):
    """What signatures come to under a rule."""

    by: list[str]
    """The principals, each once."""
    refused: list[str]
    """The other signatures, and why each does not count."""


def message(digest: str) -> bytes:
    """What is signed of a plan."""
    return f"wgorch plan {digest}\n".encode()


def rules_in_force(inventory: Inventory, seen: Mapping[str, Observed]) -> list[ApprovalRule]:
    """The last confirmed rule, as the hosts have it; that of an inventory where they have none.

    The record of the members has it, and the start-up script of every host: which of the two is later, the number of the
    revision says. Where start-up scripts differ, each of theirs counts. Raises UsageError for a rule that this version cannot
    read.
    """
    record = newest(seen)
    members = parse(record) if '"approve":' in record.text else None
    if '"approve":{' in record.text and members is None:
        raise UsageError(*UNREADABLE)
    kept = {text for there in seen.values() if (text := _later_rule(there.files.approval, record.number, record.text))}
    if kept:
        return [_parsed(text) for text in sorted(kept)]
    rule = members.inventory.approve if members else None
    return [its for its in (rule or inventory.approve,) if its]


def _later_rule(kept: str, number: int, record: str) -> str:
    """The rule of a start-up script that is later than the record; empty without one."""
    since, _, text = kept.partition(" ")
    is_later = not record or not since.isdecimal() or int(since) > number
    return text if is_later else ""


UNREADABLE = "a host has a rule for approvals that this version cannot read", "use the version that wrote it"


def _parsed(text: str) -> ApprovalRule:
    rule = None
    with contextlib.suppress(InventoryError):
        rule = approval_rule_of(text)
    if rule is None:
        raise UsageError(*UNREADABLE)
    return rule


def approvers(
    inventory: Inventory, seen: Mapping[str, Observed], signed: Signed | None, rotating: Iterable[str] = ()
) -> tuple[str, ...]:
    """Who approved a change of the hosts; none where no rule asks for it. Raises UsageError where approvals are missing.

    `rotating`: hosts that get a new key, for what to type instead.
    """
    found: dict[str, None] = {}
    for rule in rules_in_force(inventory, seen):
        if signed is None:
            problem = f"a change of network {inventory.network.name} needs {count(rule.needs, 'approval')}"
            keys = "".join(f" --rotate-key {name}" for name in sorted(rotating))
            raise UsageError(problem, HOW.replace("wgorch plan", f"wgorch plan{keys}", 1))
        approvals = judge(rule, signed)
        if len(approvals.by) < rule.needs:
            raise UsageError(_lacking(rule, approvals), "wgorch approve FILE, by each of them")
        found |= dict.fromkeys(approvals.by)
    return tuple(found)


HOW = "wgorch plan -o change.plan; then wgorch approve change.plan, by each signer; then wgorch apply change.plan"


def _lacking(rule: ApprovalRule, approvals: Approvals) -> str:
    by = f" ({', '.join(approvals.by)})" if approvals.by else ""
    lines = "".join(f"\n    {each}" for each in approvals.refused)
    return f"the plan needs {count(rule.needs, 'approval')} and has {len(approvals.by)}{by}{lines}"


def judge(rule: ApprovalRule, signed: Signed) -> Approvals:
    """Verify signatures; one key or principal counts once. Raises UsageError where ssh-keygen does not run."""
    found = Approvals([], [])
    counted: set[str] = set()  # principals and keys
    with _directory() as place:
        signers = _write(place, "signers", "\n".join(rule.signers))
        revoked = ["-r", _write(place, "revoked", "\n".join(rule.revoked))] if rule.revoked else []
        for name, text in sorted(signed.signatures.items()):
            signature = _write(place, "signature", text)
            options = ["-f", signers, "-n", NAMESPACE, "-s", signature, *revoked]
            people, answer = _verify(options, signers, signature, message(signed.digest))
            key = re.search(r"key (SHA256:\S+)", answer.output)
            if answer.code or not people or not key:
                found.refused.append(f"{one_line(name, 100)}: {_reason(answer)}")
            elif not counted.isdisjoint({*people, key[1]}):
                found.refused.append(
                    f"{one_line(name, 100)}: {people[0]} approves once, whatever the number of signatures"
                )
            else:
                found.by.append(people[0])
                counted |= {*people, key[1]}
    return found


def _verify(options: list[str], signers: str, signature: str, text: bytes) -> tuple[list[str], Answer]:
    """Whose signature it is, by all principals of its key, and ssh-keygen's answer; its complaint where it is of none."""
    found = _keygen(["-Y", "find-principals", "-s", signature, "-f", signers])
    people = [line.strip() for line in found.output.split("\n") if line.strip()] if found.code == 0 else []
    answer = found if found.code else Answer(1, "", found.errors)
    for principal in people[:MOST]:
        answer = _keygen(["-Y", "verify", "-I", principal, *options], text)
        if answer.code == 0:
            return [principal, *(other for other in people if other != principal)], answer
    return [], answer


MOST = 16
"""Principals of one key that are tried."""


def _reason(answer: Answer) -> str:
    """ssh-keygen's words, without the names of temporary files."""
    said = f"{answer.errors}\n{answer.output}".replace("\r", "")
    text = re.sub(r"/\S*/(signers|revoked|signature):?", r"\1 line ", said)
    return one_line("; ".join(line for line in text.split("\n") if line.strip()), 200) or "it does not hold"


def _directory() -> AbstractContextManager[str]:
    """A directory of this process's own for what ssh-keygen reads."""
    import tempfile

    return tempfile.TemporaryDirectory()


def _write(place: str, name: str, text: str) -> str:
    path = Path(place) / name
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return str(path)


def _keygen(words: list[str], given: bytes = b"", timeout_s: float = 60) -> Answer:
    answer = ask(["ssh-keygen", *words], given, timeout_s)
    if answer is MISSING:
        raise UsageError("ssh-keygen does not run on this machine", "install OpenSSH's client (openssh-client)")
    return answer


# --- sign


def sign(digest: str, key: Path | None, rules: Sequence[ApprovalRule]) -> str:
    """A signature over a digest.

    `key`: a private key's file, or a public one whose private key an agent has; None for the first of this person's keys
    that one of the rules has, or of all without any. Raises UsageError.
    """
    if key is not None:
        return _sign(digest, str(key))
    known = {each for rule in rules for each in rule.keys}
    mine = [(path, public) for path, public in _own_keys() if not rules or public.split(" ")[1] in known]
    if not mine:
        whose = "is a signer's" if rules else "was found"
        raise UsageError(f"none of your keys {whose}: not in ~/.ssh, not in an agent", "--key FILE")
    path, public = mine[0]
    if path:
        return _sign(digest, path)
    with _directory() as place:
        return _sign(digest, _write(place, "key.pub", public))


def _sign(digest: str, key: str) -> str:
    answer = _keygen(["-Y", "sign", "-n", NAMESPACE, "-f", key], message(digest), SIGN_TIMEOUT_S)
    if answer.code or "BEGIN SSH SIGNATURE" not in answer.output:
        said = answer.errors.replace("Signing data on standard input", "").replace("\r", "").strip()
        problem = f"cannot sign with {key}: {one_line(said, 200) or 'ssh-keygen gives no reason'}"
        raise UsageError(problem, "--key FILE: a private key, or a public one of the agent's")
    return answer.output


def rules_of(texts: Sequence[str]) -> list[ApprovalRule]:
    """The rules that a plan file has. Raises UsageError."""
    return [_parsed(text) for text in texts]


def fingerprint(signature: str, digest: str) -> str:
    """The key of a signature, as ssh-keygen prints it; empty where it does not hold."""
    with _directory() as place:
        words = ["-Y", "check-novalidate", "-n", NAMESPACE, "-s", _write(place, "signature", signature)]
        key = re.search(r"key (SHA256:\S+)", _keygen(words, message(digest)).output)
    return key[1] if key else ""


def _own_keys() -> Iterator[tuple[str, str]]:
    """The keys of this person, each as a path and a public key: those in ~/.ssh, then the agent's, which have no path."""
    for path in sorted(Path(os.path.expanduser("~/.ssh")).glob("*.pub")):  # noqa: PTH111 - never raises
        with contextlib.suppress(OSError):
            words = path.read_text(encoding="utf-8", errors="replace").split()
            if len(words) > 1 and words[1].startswith("AAAA"):
                private = path.with_suffix("")
                yield str(private if private.exists() else path), " ".join(words[:2])
    for line in ask(["ssh-add", "-L"]).output.split("\n"):
        if len(words := line.split()) > 1 and words[1].startswith("AAAA"):
            yield "", " ".join(words[:2])
