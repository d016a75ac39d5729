"""The command line: exit codes, error texts, and the verbs that need no host."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from wgorch import __version__
from wgorch.cli import main as module
from wgorch.cli.main import main
from wgorch.errors import HostsFailed, InventoryError, Unreachable, UsageError, WgorchError

ROOT = Path(__file__).parents[2]
REFERENCE = str(ROOT / "inventory" / "home-company.yaml")


def run(*argv: str) -> int:
    """The exit code of a command line."""
    try:
        return main(argv)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_out_of_range_is_refused_before_any_connection(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run("trace", "home", "10.10.13.61", REFERENCE, "--tcp", port)
    assert f"wgorch: {port} is not a port\n    hint: a number from 1 to 65535\n" == capsys.readouterr().err


def test_no_verb_at_all_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run()
    assert "wgorch VERB --help" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("--version")
    said = capsys.readouterr().out
    assert re.fullmatch(
        rf"wgorch {re.escape(__version__)} \(Python 3[0-9.]+, paramiko [0-9.]+, OpenSSH [0-9.]+\)\n", said
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("chek",), 'wgorch: unknown verb "chek". Did you mean "check"?\n    hint: wgorch --help\n'),
        (("tear-down",), 'Did you mean "teardown"?'),
        (("xyzzy",), 'wgorch: unknown verb "xyzzy"\n    hint: wgorch --help\n'),
        (("up", "--yess"), 'wgorch: unknown option "--yess". Did you mean "--yes"?\n    hint: wgorch up --help\n'),
        (("up", "--stric"), 'Did you mean "--strict"?'),
        (("--yess",), 'wgorch: unknown option "--yess"\n    hint: wgorch --help\n'),
        (("plan", "a", "b"), 'wgorch: unexpected argument "b"\n    hint: wgorch plan --help\n'),
        (("plan", "--limit"), "expected one argument"),
        (("plan", "--limit", "", REFERENCE), "wgorch: argument --limit: no host named\n"),
        (("plan", "--limit", "home,", REFERENCE), 'no host ""'),
        (("plan", ""), "wgorch: the name of the inventory is empty\n"),
        (("doctor", "home", "-i", ""), "wgorch: the name of the inventory is empty\n"),
        (("check", "--playbooks", "/nowhere", REFERENCE), "wgorch: no playbook in /nowhere\n"),
        (
            ("check", "--playbooks", str(ROOT / "docs"), REFERENCE),
            "    hint: a directory with up.yaml, teardown.yaml or",
        ),
        (
            ("trace", "home", "trget", REFERENCE),
            '"trget" is not a host, device or address.\n    hint: one of: bcc, company',
        ),
        (("export", "hme", REFERENCE), 'no device or host "hme"'),
        (("up", "--confirm-timeout", "soon"), "soon"),
        (("up", "--confirm-timeout", "5", REFERENCE), "wgorch: confirm timeout of 5 s is out of range"),
        (("rotate-key", "home", "--confirm-timeout", "5", "-i", REFERENCE), "confirm timeout of 5 s is out of range"),
        (("teardown", "--network", ""), "wgorch: the name of the network is empty"),
        (("teardown", "--network", "office", "--limit", "home"), "wgorch: --limit names hosts of an inventory"),
        (("teardown", "--network", "no/where", "--yes"), "no network no/where was applied from this controller"),
        (("teardown", "--network", "office", REFERENCE), "both an inventory and --host or --network are given"),
        (("teardown", "--confirm-timeout", "301", REFERENCE), "    hint: 10 to 300 seconds\n"),
        (("trust",), "host"),
        (("plan", "--format", "xml"), "xml"),
        (("plan", "--limit", "hme", REFERENCE), 'Did you mean "home"?'),
        (("rotate-key", "hme", "-i", REFERENCE), 'Did you mean "home"?'),
        (("plan", "--accept-new-key", "hme", REFERENCE), 'Did you mean "home"?'),
        (("trust", "hme", REFERENCE), 'Did you mean "home"?'),
        (
            ("check",),
            "wgorch: no inventory given\n    hint: name its file, or set WGORCH_INVENTORY; wgorch init writes a new one\n",
        ),
        (("map", "-o", "map.pdf", REFERENCE), "wgorch: map.pdf is neither .svg nor .html\n    hint: -o network.svg"),
    ],
)
def test_a_usage_error_ends_with_3_and_gives_a_hint(
    argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(*argv)
    printed = capsys.readouterr()

    assert (3, "") == (code, printed.out)
    assert message in printed.err
    assert printed.err.startswith("wgorch: ")
    assert "\n    hint: " in printed.err
    assert "Traceback" not in printed.err


def test_a_missing_inventory_keeps_the_form_of_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run("check", "none.yaml")
    error = capsys.readouterr().err
    assert error.startswith('none.yaml: error: cannot read "none.yaml"')
    assert "\n    fix: " in error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InventoryError(["a.yaml:1:2: error: x: y"]), "a.yaml:1:2: error: x: y\n"),
        (UsageError("not an error: at all", "a hint"), "wgorch: not an error: at all\n    hint: a hint\n"),
        (
            HostsFailed(
                [Unreachable("home", "connect", "refused", "start sshd"), Unreachable("bcc", "log in", "no key")]
            ),
            "wgorch: home: cannot connect: refused\n    hint: start sshd\nbcc: cannot log in: no key\n",
        ),
    ],
)
def test_the_prefix_of_an_error_depends_on_its_type(
    error: WgorchError, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def run(self, _options: object) -> int:
            raise error

    monkeypatch.setattr(module, "verb", lambda _name: Failing())

    assert error.exit_code == run("check")
    assert text == capsys.readouterr().err


def test_a_valid_inventory_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", REFERENCE)
    assert f"{REFERENCE}: OK (3 hosts, 1 flow)\n" == capsys.readouterr().out


def test_a_bad_inventory_ends_with_3_and_all_of_its_problems(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(REFERENCE).read_text().replace("192.168.2.3", "192.168.2.300").replace("38371", "0")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    assert 2 == capsys.readouterr().err.count("inventory.yaml:")


def test_a_bad_ssh_target_keeps_the_form_of_its_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run("teardown", "--host", "ssh://home")
    assert capsys.readouterr().err.startswith("--host:1:1: error: ")


def test_a_flow_without_a_path_is_refuted_with_3(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("home -> 10.10.13.61", "home -> 10.99.0.1")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    assert "home -> 10.99.0.1: home: no route to 10.99.0.1" in capsys.readouterr().err


def test_up_refuses_a_flow_without_a_path_before_any_connection(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(REFERENCE).read_text().replace("home -> 10.10.13.61", "home -> 10.99.0.1")
    (elsewhere / "other.yaml").write_text(text)

    assert 3 == run("up", "other.yaml")
    assert capsys.readouterr().err.startswith("other.yaml:33:5: error: home -> 10.99.0.1: home: no route to 10.99.0.1")


def test_a_flow_between_spokes_without_a_relay_is_refuted(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("    relay: true", "    relay: false")
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    error = capsys.readouterr().err
    assert "company and home cannot connect to each other, and no host is a relay" in error
    assert "error: home -> 10.10.13.61" in error


def test_check_as_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", "--json", REFERENCE)
    assert {"version": 2, "ok": True, "hosts": 3, "unreachable_flows": []} == json.loads(capsys.readouterr().out)


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("check", "--schema")
    assert "wgorch inventory" == json.loads(capsys.readouterr().out)["title"]


def test_escapes_in_an_inventory_never_reach_the_terminal(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(REFERENCE).read_text().replace("ens192", '"\\e]0;owned\\a\\u202e"')
    (elsewhere / "inventory.yaml").write_text(text)

    assert 3 == run("check", "inventory.yaml")
    printed = capsys.readouterr()
    assert [] == [c for c in printed.out + printed.err if c in "\x1b\x07\u202e"]


def test_a_key_from_elsewhere_is_not_rotated(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "192.168.0.9\n    private_key: {file: /etc/key}"
    (elsewhere / "inventory.yaml").write_text(Path(REFERENCE).read_text().replace("192.168.0.9", source))

    assert 3 == run("rotate-key", "home")
    assert "wgorch: the key of home comes from: cat /etc/key\n    hint: change it there" in capsys.readouterr().err


def test_the_place_of_a_found_inventory_is_printed(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "inventory.yaml").write_text(Path(REFERENCE).read_text())

    assert 0 == run("check")
    assert "inventory: inventory.yaml (in this directory)\n" == capsys.readouterr().err
