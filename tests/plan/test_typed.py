"""Commands as a person would type them: of every function, and never a word of a host or an inventory as sh."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.report.samples import plan_of
from wgorch.host.library import library
from wgorch.plan.typed import _WORDS, typed
from wgorch.state.change import Change, Command, command

EVIL = "$(touch /tmp/wgorch-typed)"

SAMPLES: dict[str, tuple[str, ...]] = {
    "note_table": ("filter",),
    "note_chain": ("filter", "FORWARD"),
    "restate_chain": ("mangle6", "FORWARD", "wgorch:office", "wgorch-office-pfw", "1"),
    "track_connections": ("office", "inet", "wg0"),
    "end_rules": ("office",),
    "load_rules": ("office",),
    "may_reload": ("zone", EVIL),
    "set_value": (f"net/ipv4/conf/{EVIL}/forwarding", "1", "--", "net/ipv4/conf/eth0.5/forwarding", "0"),
    "write_sysctl": ("net/ipv4/ip_forward", EVIL),
    "make_interface": (EVIL,),
    "end_interface": (EVIL,),
    "clear_alias": (EVIL,),
    "generate_key": (f"/var/lib/wgorch/{EVIL}/private_key",),
    "set_key": (EVIL, "tag", "listen-port", "51820"),
    "set_named_endpoint": (EVIL, "key", "vpn.example:51820"),
    "ensure_chain": ("filter", EVIL),
    "remove_jump": ("filter6", "FORWARD", "wgorch:office", EVIL),
    "write_file": (f"/etc/{EVIL}", "644"),
    "set_policy_rule": ("-4", "31000", "iif", EVIL),
    "delete_policy_rule": ("-6", "31000", "from", "all", "lookup", EVIL),
    "set_nexthop": ("-4", "1200001", EVIL),
    "set_detour_rule": ("-4", "priority", "11880", "from", "all", "iif", EVIL),
    "delete_detour_rule": ("-6", "priority", "11880", "from", "all", "iif", EVIL),
    "install_packages": ("apt", EVIL),
    "firewalld_set": ("--zone", EVIL),
    "firewalld_unset": ("--zone", EVIL),
    "reload_firewalld": (),
}


def text_of(*commands: Command) -> str:
    return "\n".join(typed(plan_of("bcc", Change("+", "object", "missing", commands, False, "peers"))))


def test_every_word_is_a_function_and_has_a_sample() -> None:
    assert set(_WORDS) == set(SAMPLES)
    assert set(_WORDS) <= library().keys()


@pytest.mark.parametrize("word", SAMPLES)
def test_a_word_of_a_host_is_quoted(word: str) -> None:
    text = text_of(command(word, *SAMPLES[word], stdin=EVIL if word == "write_file" else ""))
    assert subprocess.run(["sh", "-n", "-c", text], capture_output=True, text=True, check=False).stderr == ""
    # What is run as sh must not run what is in the word: each line is split as the shell does.
    words = [
        word for line in text.split("\n") if not line.startswith("#") and line != EVIL for word in shlex.split(line)
    ]
    assert not any(word == "touch" or word.startswith("/tmp/wgorch-typed)") for word in words)
    assert word not in words


def test_sysctls_of_an_interface_with_a_dot_keep_their_slashes() -> None:
    text = text_of(command("set_value", "net/ipv4/conf/eth0.5/forwarding", "1", "net/ipv4/ip_forward", "1"))
    assert "sysctl -w net/ipv4/conf/eth0.5/forwarding=1" in text
    assert "sysctl -w net.ipv4.ip_forward=1" in text


def test_a_function_that_no_tool_stands_for_is_printed_with_its_text() -> None:
    text = text_of(command("set_dns", "wgorch:office", "192.0.2.53"))
    assert "\nset_dns() {" in text
    assert text.endswith("set_dns wgorch:office 192.0.2.53")
    assert "set_dns() {" not in text_of(command("ip", "link"))
