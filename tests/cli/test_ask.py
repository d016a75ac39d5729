"""Questions to the policy of an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inventory.mistyped import BASE
from tests.inventory.sections.test_flows import policy
from wgorch.cli.main import main

LINES = ("home -> company.lan: tcp 22,443, ping", "phones -> 10.10.13.0/28: udp 53")
GROUPS = "groups:\n  phones: [bcc]\n"


def ask(question: str, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    Path("inventory.yaml").write_text(text.replace("  - home -> 10.10.13.61\n", "  - home -> bcc\n"))
    code = main(["ask", question, "inventory.yaml"])
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("question", "code", "answer"),
    [
        ("who reaches 10.10.13.61 tcp 22", 0, f"home (tcp 22)\n    policy[0] {LINES[0]}\n"),
        ("who reaches company.lan udp 53?", 0, f"bcc (udp 53, in part)\n    policy[1] {LINES[1]}\n"),
        ("who reaches home", 1, "nothing passes\n"),
        ("what reaches company.lan from home", 0, f"policy[0] {LINES[0]}\n"),
        ("what reaches home from company", 1, "nothing passes\n"),
        ("can phones reach 10.10.13.5 udp 53", 0, f"udp 53: passes\n    policy[1] {LINES[1]}\n"),
        ("can home reach company.lan tcp 22-30", 0, f"tcp 22-30: passes in part\n    policy[0] {LINES[0]}\n"),
    ],
)
def test_a_question_is_answered_by_the_lines(
    question: str, code: int, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (code, answer) == ask(question, policy(*LINES, groups=GROUPS), capsys)


def test_without_a_policy_the_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = ask("who reaches company.lan", BASE, capsys)

    assert 0 == code
    assert "bcc\nhome\nnote: the inventory has no policy: all that it connects passes\n" == answer


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("which way to company", 'cannot answer "which way to company"'),
        ("who reaches compny", 'there is no host, device or group "compny". Did you mean "company"?'),
        ("who reaches home ssh", '"ssh" is no protocol'),
        ("who reaches 10.10.13.999", "octet 4 is 999; the maximum is 255"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_usage_error(
    question: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("inventory.yaml").write_text(
        policy(*LINES, groups=GROUPS).replace("home -> 10.10.13.61\n", "home -> bcc: ping\n")
    )
    Path("inventory.yaml").write_text(
        Path("inventory.yaml").read_text().replace("  - home -> bcc: ping\n", "  - bcc -> home\n")
    )

    assert 3 == main(["ask", question, "inventory.yaml"])
    assert f"wgorch: {problem}\n    hint: " in capsys.readouterr().err


def test_a_contradiction_is_named_with_the_places_of_both_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(policy(*LINES, groups=GROUPS).replace("home -> 10.10.13.61\n", "home -x-> 10.10.13.61: tcp 22\n"))
    lines = file.read_text().splitlines()
    test, allowing = (
        next(f"{n}:{line.index('-') + 3}" for n, line in enumerate(lines, 1) if text in line)
        for text in ("-x->", f"- {LINES[0]}")
    )

    assert 3 == main(["check", str(file)])
    said = capsys.readouterr().err
    assert (
        f"{file}:{test}: error: home -x-> 10.10.13.61: tcp 22: it gets through: policy[0] at {allowing} allows" in said
    )
    assert 3 == main(["plan", str(file)])
    assert f"{file}:{test}: error: home -x-> 10.10.13.61" in capsys.readouterr().err
