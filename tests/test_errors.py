"""Errors: one form for people, with the hint on a line of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.errors import HostError, HostsFailed, Locked, Lost, Unfit, Unreachable, UsageError

PACKAGE = Path(__file__).parents[1] / "wgorch"


def test_a_usage_error_is_a_problem_and_a_hint() -> None:
    error = UsageError("no machine given", "wgorch init root@HOST")

    assert "no machine given\n    hint: wgorch init root@HOST" == str(error)
    assert ("no machine given", "wgorch init root@HOST", 3) == (error.problem, error.hint, error.exit_code)
    assert "aborted" == str(UsageError("aborted"))


def test_a_host_error_names_the_host_the_action_and_the_problem() -> None:
    error = Unfit("home", "create wg0", "it exists\x1b[31m ", "--adopt")

    assert "home: cannot create wg0: it exists\\x1b[31m\n    hint: --adopt" == str(error)
    assert "home: cannot connect: refused" == str(Unreachable("home", "connect", "refused"))


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([Unreachable("a", "connect", "x")], 4),
        ([Lost("a", "read facts", "x")], 4),
        ([Unfit("a", "connect", "x"), Locked("b", "lock the host", "x")], 75),
    ],
)
def test_the_exit_code_of_several_failures(errors: list[HostError], code: int) -> None:
    assert code == HostsFailed(errors).exit_code


KEEPS_FIX = {"inventory/problems.py", "inventory/load.py", "verify/finding.py"}
"""Files with the `fix:` line of a problem or a finding."""


def test_hints_are_arguments_and_never_part_of_a_text() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("\\n    fix: ", "\\n    hint: "))
    }

    assert {"errors.py", *KEEPS_FIX} == found | KEEPS_FIX
