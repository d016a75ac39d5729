"""A network card of any name that the kernel allows, on every verb: it is taken as a name, or refused as one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, Lab, own_lab

pytestmark = pytest.mark.slow(60)

NAMES = [
    "$(>pwn)",
    "`>pwn`",
    ";>pwn;#",
    "a&>pwn&",
    "a|>pwn",
    "'$(>pwn)'",
    '"$(>pwn)"',
    "a';>pwn;'b",
    "#lan",
    "lan#1",
    "-lan",
    "--",
    "*",
    "?lan",
    "[a-z]*",
    "{a,b}",
    "~root",
    "!lan",
    "a\\nb",
    "@DATA@",
    "<b>x<i>",
    "a,b=c",
    "lan\x01\x1b[2J",
    "lan\x7f",
    "é-lan",
    "\u202elan",
    "lo0.100",
    "x" * 15,
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("cards", tmp_path_factory, systemd=False) as lab:
        yield lab


def rename(lab: Lab, old: str, new: str) -> None:
    """Rename company's card, as udev would before anything uses it."""
    one, other = shlex.quote(old), shlex.quote(new)
    lab.world.sh(
        "company",
        f"ip link set dev {one} down; ip link set dev {one} name {other}; ip link set dev {other} up; "
        f"ip address replace 10.10.13.62/24 dev {other}; ip route replace default via 10.10.13.1 dev {other} proto static",
    )


@pytest.mark.parametrize("name", draw(NAMES, 3, salt="cards"))
def test_a_card_of_any_name_is_a_name(own: Lab, name: str) -> None:
    path = own.inventory(INVENTORY.read_text().replace("    lan_interface: ens192 ", "    # "), "open.yaml")
    rename(own, "ens192", name)
    try:
        said = [own.wgorch("plan", path, code=None)]
        up = own.wgorch("up", path, "--yes", code=None)
        said.append(up)
        for words in (
            ("status", path),
            ("status", path, "--json"),
            ("verify", path),
            ("trace", "home", "10.10.13.61", path),
            ("doctor", "company", "-i", path),
            ("map", path, "-o", "/root/map.html"),
            ("rotate-key", "company", "--yes", "-i", path),
            ("plan", path, "--format", "shell"),
            ("teardown", path, "--yes", "--purge"),
        ):
            said.append(own.wgorch(*words, code=None))
        found = own.world.sh("company", "find / -xdev -name '*pwn*' ! -path '/proc/*' ! -path '/sys/*' 2>/dev/null; :")
        output = "".join(done.stdout + done.stderr for done in said)
        assert (found, "Traceback" in output) == ("", False), output
        assert all(c.isprintable() or c in "\n" for c in output)
        assert up.returncode == 0 or (up.returncode == 4 and "company: " in up.stderr), up.stderr
        assert {done.returncode for done in said} <= {0, 1, 2, 4}, [(d.args[-4:], d.returncode, d.stderr) for d in said]
        if up.returncode == 0:
            assert said[-1].returncode == 0, said[-1].stderr
    finally:
        rename(own, name, "ens192")

    assert own.differences(ignore=()) == {}
