"""Words of other tools, help for a verb, and text wrapped by words."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from wgorch.cli.main import main
from wgorch.cli.parser import OTHER_WORDS
from wgorch.cli.terminal import wrapped
from wgorch.cli.verbs import NAMES
from wgorch.inventory.load import load
from wgorch.remote.openssh.argv import interactive_argv
from wgorch.remote.ssh.config import SshConfig
from wgorch.remote.ssh.resolve import SshResolver

HOSTS = load(Path(__file__).parents[2] / "inventory" / "home-company.yaml").hosts


@pytest.mark.parametrize(("meant", "word"), [(meant, word) for meant, words in OTHER_WORDS.items() for word in words])
def test_a_word_of_another_tool_is_understood(meant: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == main([word, "inventory.yaml"])
    assert f'Did you mean "{meant}"?' in capsys.readouterr().err


def test_other_words_are_no_verbs_and_mean_verbs() -> None:
    words = [word for words in OTHER_WORDS.values() for word in words]

    assert OTHER_WORDS.keys() <= set(NAMES)
    assert not set(words) & set(NAMES)
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("up", "--dry-run"), "wgorch plan shows what up would change"),
        (("up", "--auto-approve"), "hint: --yes"),
        (("teardown", "--target=home"), "hint: --limit"),
        (("up", "--wrong"), "wgorch up --help"),
    ],
)
def test_an_option_of_another_tool_has_its_remedy(
    argv: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 3 == main(list(argv))
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_verb_is_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for argv in (["help", name], [name, "--help"]):
        with pytest.raises(SystemExit):
            main(argv)
        texts.append(capsys.readouterr().out)

    assert texts[0] == texts[1]
    assert f"usage: wgorch {name}" in texts[0]


def test_the_help_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["help"])
    assert [] == [line for line in capsys.readouterr().out.split("\n") if len(line) > 82]


def test_text_is_wrapped_by_words_and_a_long_word_is_kept() -> None:
    text = wrapped("home: cannot connect: no route\n    hint: look at /var/lib/wgorch/office/private_key first", 30)

    assert text == (
        "home: cannot connect: no route\n    hint: look at\n      /var/lib/wgorch/office/private_key\n      first"
    )


def test_a_command_of_a_host_behind_enter_runs_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ran on the machine around it would be run on another host than the one that was named."""
    path = tmp_path / "i.yaml"
    text = "network: {name: office, subnet: 10.9.0.0/24}\nhosts:\n  hub:\n    ssh: root@203.0.113.1\n    relay: true\n"
    path.write_text(f"{text}    endpoint: 203.0.113.1:51820\n    enter: [docker, exec, -i, web]\n")
    ran: list[list[str]] = []

    def become(_: str, words: list[str]) -> NoReturn:
        ran.append(words)
        raise OSError(2, "stop here")

    monkeypatch.setattr("os.execvp", become)
    for words in ([], ["--", "wg", "show", "a b"], ["--", "wg show; id"]):
        assert 3 == main(["ssh", "-i", str(path), "hub", *words])

    inside = "docker exec -i web /bin/sh"
    assert [words[words.index("--") + 2 :] for words in ran] == [
        [inside],
        [f"{inside} -c 'wg show '\"'\"'a b'\"'\"''"],
        [f"{inside} -c 'wg show; id'"],
    ]
    assert ["-t" in words for words in ran] == [True, False, False]


def test_ssh_without_a_host_names_only_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == main(["ssh"])
    assert "required: host\n" in capsys.readouterr().err


def test_a_persons_session_takes_the_inventorys_way() -> None:
    resolver = SshResolver(HOSTS, SshConfig(Path("/nowhere")))

    assert interactive_argv(resolver.of(HOSTS["company"]), ["ping", "-c", "1", "a b"])[1:] == [
        *("-l", "root", "-p", "22", "-J", "root@198.51.100.66:22"),
        *("--", "10.10.13.62", "ping -c 1 'a b'"),
    ]
