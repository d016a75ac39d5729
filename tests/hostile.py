"""Hostile answers: recorded ones, mutated by a seed, through everything that the program makes of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

from rich.console import Console

from wgorch.errors import Garbled, HostError, HostsFailed
from wgorch.gather.gather import NONCE
from wgorch.gather.observed import Observed, observed
from wgorch.inventory.load import load
from wgorch.outcome import Status
from wgorch.plan.playbook import load_all
from wgorch.report.as_json import status_json, trace_json
from wgorch.report.map.map import Map
from wgorch.report.plan import render_plan, shell_plan
from wgorch.report.prometheus import exposition
from wgorch.report.status import render_status
from wgorch.report.trace import render_trace
from wgorch.run import Run
from wgorch.topology.topology import build
from wgorch.trace.capture import Capture, parse
from wgorch.trace.explain import explain
from wgorch.trace.probe import Probe

ROOT = Path(__file__).resolve().parents[1]
RECORDED = sorted((ROOT / "tests" / "trace" / "recorded").glob("*.json"))
TOPOLOGY = build(load(ROOT / "inventory" / "home-company.yaml"))
PLAYBOOKS = load_all("", None)

TOKENS = [
    "$(id)",
    "`id`",
    "';id;'",
    '"; id; "',
    "a\x1b]0;x\x07b",
    "\x1b[2J",
    "\u202egpj.exe",
    "\u2028",
    "\x00",
    "</script><script>x()</script>",
    "' onfocus=x() '",
    "@DATA@",
    "<img src=x onerror=x()>",
    "9" * 30,
    "-1",
    "1e309",
    "nan",
    "0x7fffffffffffffff",
    "18446744073709551616",
    "::1%$(id)",
    "0.0.0.0/0",
    "::/0",
    "../../etc/passwd",
    "wg0",
    "wgorch:office",
    "%s%n",
    "{}",
    "\\n",
    "é" * 300,
    "A" * 5000,
    "",
    "#",
    "!",
    "-",
]


@dataclass(frozen=True)
class Answers:
    """What the hosts of the reference network answered to a trace."""

    facts: Mapping[str, str]
    seen: Mapping[str, str]
    probe: Probe


@cache
def recorded(path: Path) -> Answers:
    kept: dict[str, Any] = json.loads(path.read_text())
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), size=kept["size"], full_size=kept["full_size"])
    facts = {h: f"{NONCE} {text.partition(chr(10) + NONCE + ' ')[2]}" for h, text in kept["facts"].items()}
    return Answers(facts, kept["seen"], probe)


def mutated(seed: str) -> Answers:
    """A recording in which one host answers something else."""
    chance = Random(seed)
    honest = recorded(chance.choice(RECORDED))
    liar, part = chance.choice(sorted(honest.facts)), chance.choice(["facts", "facts", "seen"])
    texts = dict(getattr(honest, part))
    for _ in range(chance.randint(1, 4)):
        texts[liar] = _mutated(texts[liar], chance)
    return replace(honest, **{part: texts})


def _mutated(text: str, chance: Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    match chance.randrange(8):
        case 0:
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice(TOKENS)
            lines[at] = " ".join(words)
        case 1:
            lines[at] = chance.choice(TOKENS)
        case 2:
            lines.insert(at, f"{chance.choice(TOKENS)} {chance.choice(TOKENS)}")
        case 3:
            lines[at:at] = lines[at : at + chance.randint(1, 40)] * chance.choice([1, 2, 50])
        case 4:
            del lines[at : at + chance.randint(1, 30)]
        case 5:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 6:
            numbers = list(re.finditer(r"\d+", text))
            hit = chance.choice(numbers)
            return text[: hit.start()] + chance.choice(["0", "-1", "9" * 25, "65536", "4294967296"]) + text[hit.end() :]
        case _:
            place = chance.randrange(len(text) + 1)
            return text[:place] + chance.choice(TOKENS) + text[place + chance.randint(0, 20) :]
    return "\n".join(lines)


class Nothing:
    """A fleet without sessions."""

    def session(self, _name: str) -> None:
        return None


def outputs(answers: Answers) -> dict[str, str]:
    """Everything that the program would print, by kind. Raises only what is a bug."""
    seen: dict[str, Observed] = {}
    lost: dict[str, HostError] = {}
    for host, text in answers.facts.items():
        try:
            seen[host] = observed(host, text, NONCE)
        except Garbled as error:
            lost[host] = error
    run = Run(TOPOLOGY.inventory, Nothing(), None, PLAYBOOKS)  # type: ignore[arg-type]
    run.seen = seen
    plans, errors = {}, tuple[str, ...]()
    try:
        plans = run.plans()
    except HostsFailed as failed:
        errors = tuple(map(str, failed.errors))
    keys = {host: it.wg(run.network).public_key for host, it in seen.items()}
    status = Status(2, seen, plans, lost, keys, errors)
    out = Console(file=io.StringIO(), width=120, force_terminal=False)
    render_plan(out, plans)
    render_status(out, TOPOLOGY, status, verbose=True)
    found = {"json": json.dumps(status_json(TOPOLOGY, status)), "prometheus": exposition(TOPOLOGY, status)}
    drawn = Map(TOPOLOGY, status)
    found |= {"svg": drawn.svg(), "html": drawn.html(), "shell": shell_plan(plans)}
    for host, plan in plans.items():
        found |= {
            f"do {host}": plan.do_program.text,
            f"boot {host}": plan.boot.text,
            f"undo {host}": plan.undo_program.text,
        }
        found |= {f"probe {host}": plan.probe}
    captures: dict[str, Capture] = {}
    for host, text in answers.seen.items():
        try:
            captures[host] = parse(host, text, answers.probe)
        except Garbled as error:
            out.print(str(error))
    if len(seen) == len(captures) == len(answers.facts):
        try:
            trace = explain(TOPOLOGY, seen, keys, captures, answers.probe, "home")
        except HostError as error:
            out.print(str(error))
        else:
            render_trace(out, trace)
            found["trace"] = json.dumps(trace_json(trace))
    assert isinstance(out.file, io.StringIO)
    return found | {"terminal": out.file.getvalue()}


_SAMPLE = re.compile(r'# (HELP|TYPE) .*|[a-z_]+\{([a-z]+="([^"\\]|\\.)*",?)*\} [0-9.e+-]+|')


def faults(found: Mapping[str, str]) -> Iterator[str]:
    """What got out of its place."""
    for kind in ("terminal", "prometheus", "svg", "html"):
        odd = {c for c in found[kind] if not c.isprintable() and c != "\n"}
        if odd:
            yield f"{kind}: {sorted(map(ord, odd))}"
    for kind in ("json", "trace"):
        if kind in found:
            json.loads(found[kind])
            if not found[kind].isascii():
                yield f"{kind}: not ASCII"
    for line in found["prometheus"].split("\n"):
        if not _SAMPLE.fullmatch(line):
            yield f"prometheus: {line!r}"
    ElementTree.fromstring(found["svg"])
    if (found["html"].count("<script"), found["html"].count("<svg"), found["html"].count("<img")) != (2, 1, 0):
        yield "html: another element"
    for kind, text in found.items():
        if kind.split(" ")[0] in ("do", "boot", "undo", "probe") and "\0" in text:
            yield f"{kind}: a NUL in a script"
