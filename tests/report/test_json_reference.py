"""docs/json.md documents every key that is printed, in the section of its command."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

import pytest

from tests.plan.test_file import CHANGE
from tests.plan.test_file import file as file_of
from tests.plan.test_revisions import FIRST, SECOND
from tests.report.samples import ROOT, TOPOLOGY, change_of, drifted, healthy, lost, plan_of, verdict_of
from tests.trace.recordings import explained
from wgorch.errors import DIFFERS
from wgorch.outcome import Outcome
from wgorch.report import plan_file
from wgorch.report.as_json import (
    VERSION,
    findings_json,
    plan_json,
    status_json,
    trace_json,
    verdict_json,
)
from wgorch.report.history import diff_json, history_json
from wgorch.verify.finding import Finding

PAGE = (ROOT / "docs" / "json.md").read_text()
FINDING = Finding("home", "UDP blocked", "open it")
PLAN = plan_of("bcc", change_of("+", "interface wg0", "missing"), note="kept")

RESULTS = [
    ("status", status_json(TOPOLOGY, healthy())),
    ("status", status_json(TOPOLOGY, lost())),
    ("status", status_json(TOPOLOGY, drifted(PLAN, "no address left"))),
    ("plan", plan_json(Outcome(DIFFERS, {"bcc": PLAN}))),
    ("show", plan_file.as_json(file_of(CHANGE))),
    ("history", history_json({7: FIRST, 8: SECOND})),
    ("diff", diff_json(FIRST, SECOND, ["-a"])),
    ("verify", verdict_json(verdict_of(FINDING))),
    ("trace", trace_json(explained("no route"))),
    ("doctor", findings_json({"bcc": (FINDING,), "home": ()}, {})),
]


def keys(value: object) -> set[str]:
    """The keys of an object and of all in it, without those that are names of hosts or addresses."""
    if isinstance(value, dict):
        own = {key for key in value if key not in TOPOLOGY.hosts and key != "office" and not _is_address(key)}
        return own.union(*(keys(part) for part in value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def documented(verb: str) -> set[str]:
    """The keys in the section of a command, and in those shared by several."""
    sections = re.split(r"^## ", PAGE, flags=re.M)
    own = [
        text for text in sections if re.match(rf"wgorch .*\b{verb}\b.* --json$|Shared objects$", text.split("\n")[0])
    ]
    assert len(own) == 2
    return set(re.findall(r"^\| `([a-z_]+)`", "\n".join(own), re.M))


@pytest.mark.parametrize(("verb", "result"), RESULTS)
def test_every_key_is_documented(verb: str, result: dict[str, Any]) -> None:
    assert keys(result) <= documented(verb)


def test_one_version_is_documented_and_printed() -> None:
    assert {2} == {VERSION, *(result["version"] for _, result in RESULTS)}
    assert f'"version": {VERSION}' in PAGE


def test_no_key_is_a_word_of_version_1() -> None:
    former = set(re.findall(r"^\| `([a-z_]+)` \| `", PAGE.partition("## Version 1")[2], re.M))

    assert {"as_wanted", "disturbs", "card", "fix"} <= former
    # A key of version 1 may keep its name in another place.
    for verb, result in RESULTS:
        assert not keys(result) & (former - {"hosts", "errors"}), verb
