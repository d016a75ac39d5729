"""The command line: help, guesses at what was meant, exit codes, and which inventory is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wgorch import __version__
from wgorch.cli.main import VERBS, main
from wgorch.cli.parser import TEXTS
from wgorch.errors import UsageError
from wgorch.inventory.load import load
from wgorch.memory import find_inventory, remember

ROOT = Path(__file__).parents[1]
REFERENCE = str(ROOT / "inventory" / "home-company.yaml")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, no inventory in the environment, and a state directory of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("WGORCH_INVENTORY", raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def run(*argv: str) -> int:
    """The exit code of a command line."""
    try:
        return main(argv)
    except SystemExit as end:
        return int(end.code or 0)


def test_help_names_every_verb_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("--help")
    told = capsys.readouterr().out

    assert 0 == code
    assert [] == [verb for verb in VERBS if f"\n  {verb} " not in told]
    assert [] == [number for number in ("0", "1", "2", "3", "4", "5", "6", "75", "130") if f"{number} " not in told]


def test_help_speaks_of_every_verb_there_is() -> None:
    assert set(TEXTS) == set(VERBS)


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_that_is_none_is_refused_before_any_connection(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run("trace", "home", "10.10.13.61", REFERENCE, "--tcp", port)
    assert f"{port} is not a port" in capsys.readouterr().err


def test_no_verb_at_all_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run()
    assert "wgorch VERB --help" in capsys.readouterr().out


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_of_its_own(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(verb, "--help")
    assert f"usage: wgorch {verb}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("--version")
    assert f"wgorch {__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("chek",), 'there is no verb "chek". Did you mean "check"?'),
        (("tear-down",), 'Did you mean "teardown"?'),
        (("xyzzy",), 'there is no verb "xyzzy".'),
        (("up", "--yess"), 'there is no option or argument "--yess" here. Did you mean "--yes"?'),
        (("up", "--keep-goin"), 'Did you mean "--keep-going"?'),
        (("plan", "a", "b"), 'there is no option or argument "b" here.'),
        (("plan", "--limit"), "expected one argument"),
        (("up", "--confirm-timeout", "soon"), "soon"),
        (("up", "--confirm-timeout", "5", REFERENCE), "--confirm-timeout is a number of seconds from 10 to 300"),
        (("trust",), "host"),
        (("plan", "--format", "xml"), "xml"),
        (("plan", "--limit", "hme", REFERENCE), 'Did you mean "home"?'),
        (("trust", "hme", REFERENCE), 'Did you mean "home"?'),
        (("check",), "no inventory is given"),
        (("check", "none.yaml"), 'cannot read "none.yaml"'),
    ],
)
def test_what_was_mistyped_ends_with_3_and_says_what_was_meant(
    argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(*argv)
    told = capsys.readouterr()

    assert (3, "") == (code, told.out)
    assert message in told.err
    assert "fix: " in told.err or "from 10 to 300" in told.err
    assert "Traceback" not in told.err


def test_a_good_inventory_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", REFERENCE)
    assert f"{REFERENCE}: good: 3 hosts, 1 flows have a way\n" == capsys.readouterr().out


def test_a_bad_inventory_ends_with_3_and_all_of_its_troubles(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(REFERENCE).read_text().replace("192.168.2.3", "192.168.2.300").replace("38371", "0")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    assert 2 == capsys.readouterr().err.count("inventory.yaml:")


def test_a_flow_without_a_way_is_refuted_with_3(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("home -> 10.10.13.61", "home -> 10.99.0.1")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    assert "home -> 10.99.0.1: home: no route to 10.99.0.1" in capsys.readouterr().err


def test_a_flow_between_spokes_without_a_relay_is_refused(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("    relay: true", "    relay: false")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    told = capsys.readouterr().err
    assert "company and home cannot connect to each other, and no host is a relay" in told
    assert "error: home -> 10.10.13.61" in told


def test_check_as_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", "--json", REFERENCE)
    assert {"good": True, "hosts": 3} == {
        k: v for k, v in json.loads(capsys.readouterr().out).items() if k in ("good", "hosts")
    }


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", "--schema")
    assert "wgorch inventory" == json.loads(capsys.readouterr().out)["title"]


def test_escapes_in_an_inventory_never_reach_the_terminal(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("ens192", '"\\e]0;owned\\a\\u202e"')
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    told = capsys.readouterr()
    assert [] == [c for c in told.out + told.err if c in "\x1b\x07\u202e"]


def test_which_inventory_is_taken(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no inventory is given"):
        find_inventory(None)

    remember(load(REFERENCE), {})
    assert (REFERENCE, "the last one brought up from here") == find_inventory(None)

    (elsewhere / "inventory.yaml").write_text("")
    assert ("inventory.yaml", "found here") == find_inventory(None)

    monkeypatch.setenv("WGORCH_INVENTORY", "from-environment.yaml")
    assert ("from-environment.yaml", "from WGORCH_INVENTORY") == find_inventory(None)
    assert ("given.yaml", "") == find_inventory("given.yaml")


def test_the_last_inventory_of_another_directory_is_not_taken(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(load(REFERENCE), {})
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError):
        find_inventory(None)
