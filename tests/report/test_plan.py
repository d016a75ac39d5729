"""Plans for people, and as shell commands."""

from __future__ import annotations

from tests.report.samples import change_of, plan_of, rendered
from wgorch.plan.host import HostPlan
from wgorch.report.plan import render_plan, shell_plan

INTERFACE = change_of("+", "interface wg0", "missing")
STRANGER = change_of("-", "peer c2VjcmV0…", "not a peer of this host", disruptive=True)


def lines(*plans: HostPlan, verb: str = "up") -> list[str]:
    text = rendered(lambda out: render_plan(out, {plan.host: plan for plan in plans}, verb))
    return text.rstrip("\n").split("\n")


def test_a_plan_is_read_by_host_and_ends_with_a_summary() -> None:
    plans = (plan_of("bcc", INTERFACE, STRANGER), plan_of("home", INTERFACE), plan_of("company"))

    assert [
        "bcc: 2 changes",
        "  + interface wg0  — missing",
        "  - peer c2VjcmV0…  — not a peer of this host  (disruptive)",
        "home: 1 change",
        "  + interface wg0  — missing",
        "company: 0 changes",
        "3 changes on 2 of 3 hosts; 1 disruptive",
    ] == lines(*plans)


def test_a_plan_without_changes_is_one_line() -> None:
    assert ["No changes. 2 hosts up to date."] == lines(plan_of("bcc"), plan_of("home"))
    assert ["No changes. 1 host up to date."] == lines(plan_of("bcc"))
    assert ["No wgorch resources found."] == lines(plan_of("bcc"), verb="teardown")


def test_notes_stand_before_the_summary() -> None:
    assert ["note: bcc: kept", "No changes. 1 host up to date."] == lines(plan_of("bcc", note="kept"))


def test_a_host_cannot_write_to_the_terminal() -> None:
    text = "\n".join(lines(plan_of("bcc", change_of("+", "peer \x1b]0;evil\x07", "[red]x[/red]"))))

    assert "\\x1b]0;evil\\x07" in text
    assert "[red]x[/red]" in text


def test_the_shell_plan_is_commented_commands() -> None:
    text = shell_plan({"bcc": plan_of("bcc", INTERFACE), "home": plan_of("home")})

    assert text.startswith("# on bcc\n# + interface wg0: missing\nwg show\n")
    assert text.endswith("# on home\n")
