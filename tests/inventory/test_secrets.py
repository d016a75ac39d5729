"""Secrets in an inventory: no problem shows one, however its message is worded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inventory.mistyped import BASE, address, home, shown, ssh, subnets, swap
from tests.inventory.test_problems import BAD
from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import Problem, Problems

KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

SECRETS = {
    "in_a_field_of_its_own": home("    password: hunter2\n"),
    "in_quotes": home('    "password": "hunter2"\n'),
    "in_a_list": home("    passwords: [x, hunter2]\n"),
    "in_a_mapping": home("    secret:\n      a: x\n      b: hunter2\n"),
    "in_a_block": home("    sudo_pass: |\n      x\n      hunter2\n"),
    "before_another_trouble": ssh("{host: 192.168.0.9, password: hunter2, port: x}"),
    "with_a_tag": home("    password: !!str hunter2\n"),
    "with_an_anchor": home("    password: &p hunter2\n"),
    "given_twice": home("    password: hunter2\n    password: hunter2\n"),
    "given_twice_inside": home("    secret:\n      a: hunter2\n      a: hunter2\n"),
    "in_a_quote_that_is_never_closed": home('    password: "hunter2\n'),
    "with_a_second_colon": home("    password: a: hunter2\n"),
    "with_an_at_sign": home("    password: @hunter2\n"),
    "with_a_star": home("    psk: *hunter2!\n").replace("*hunter2!", "*x! hunter2"),
    "with_a_tab": home("\tpassword: hunter2\n"),
    "with_a_control_character": home("    token: hunter2\x07\n"),
    "with_an_equal_sign": home("    password = hunter2\n"),
    "in_the_address": ssh("root:hunter2@192.168.0.9"),
    "in_an_ssh_url": ssh("ssh://root:hunter2@192.168.0.9"),
    "in_the_address_of_a_jump_host": ssh('{host: a, via: "root:hunter2@b"}'),
    "in_place_of_a_key_file": ssh('{host: a, identity: "-----BEGIN OPENSSH PRIVATE KEY----- hunter2"}'),
    "in_a_key_pasted_below": ssh("{host: a}").replace(
        "ssh: {host: a}", "identity: -----BEGIN RSA PRIVATE KEY-----\n      hunter2\n    ssh: {host: a, port: x}"
    ),
    "in_an_unknown_section": BASE + "credentials:\n  home: hunter2\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str) -> None:
    text = SECRETS[name]

    assert "hunter2" in text
    assert "inventory.yaml:" in shown(text)
    assert "hunter2" not in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        home(f"    private_key: {KEY}\n"),
        home(f"    PrivateKey = {KEY}\n"),
        home(f"    key: {KEY}\n"),
        address(KEY),
        address(f'"{KEY}'),
        subnets(f"[{KEY}]"),
        swap("  home:", f'  "{KEY}":'),
        swap("home -> 10.10.13.61", f"home -> {KEY}"),
        BASE + f"{KEY}: 1\n",
        BASE + f"{KEY}\n",
    ],
)
def test_a_key_of_wireguard_is_never_shown_wherever_it_was_pasted(text: str) -> None:
    assert "inventory.yaml:" in shown(text)
    assert KEY not in shown(text)


def test_the_excerpt_of_a_secret_ends_before_it_whatever_the_message_is() -> None:
    problems = Problems("x.yaml", "ssh: root:hunter2@host\n")
    problems.add(Scalar(1, 6, "", True), "ssh", "any words", secret=True)

    assert ["x.yaml:1:6: error: ssh: any words\n    ssh: …\n         ^"] == problems.lines()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_stays_hidden_when_its_message_is_reworded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Problems.add

    def reworded(self: Problems, node: Any, path: str, _message: str, _fix: str = "", **flags: bool) -> None:
        add(self, node, path, "reworded", "reworded", **flags)

    monkeypatch.setattr(Problems, "add", reworded)

    assert "reworded" in shown(SECRETS[name])
    assert "hunter2" not in shown(SECRETS[name])


def test_every_message_that_says_hidden_has_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Problem] = []
    monkeypatch.setattr(Problems, "lines", lambda self: found.extend(self.found) or [""])
    for _, text, *_ in BAD:
        shown(text)
    hidden = [problem for problem in found if "value hidden" in problem.message]

    assert len(hidden) > 5
    assert [] == [problem for problem in hidden if not problem.secret]
