"""Values below /proc/sys: set, recorded, restored."""

from __future__ import annotations

import pytest

from tests.host.room import BOOT_ID, Room

ETH0, ETH1, OWN = (f"net/ipv4/conf/{name}/forwarding" for name in ("eth0", "eth1", "wg0"))
FIRST = f"boot {BOOT_ID}\nall4 0\n"


@pytest.fixture
def values(room: Room) -> Room:
    """All values are 0."""
    for path in (ETH0, ETH1, OWN, "net/ipv4/conf/all/forwarding"):
        room.write(f"proc/sys/{path}", "0\n")
    return room


def now(room: Room) -> tuple[str, ...]:
    return tuple(room.read(f"proc/sys/{path}").strip() for path in (ETH0, ETH1, OWN))


def recorded(room: Room) -> str:
    return room.read("network/recorded")


def test_what_was_there_is_recorded_before_it_is_changed(values: Room) -> None:
    values.run(f"set_value {ETH0} 1 {ETH1} 0 -- {OWN} 1")

    assert now(values) == ("1", "0", "1")
    assert recorded(values) == f"{FIRST}sysctl {ETH0} 0 1\n"


def test_own_values_need_no_record(values: Room) -> None:
    values.run(f"set_value -- {OWN} 1")

    assert now(values) == ("0", "0", "1")
    assert recorded(values) == ""


def test_a_second_change_keeps_the_first_record(values: Room) -> None:
    values.run(f"set_value {ETH0} 1")
    values.run(f"set_value {ETH0} 2")

    assert recorded(values) == f"{FIRST}sysctl {ETH0} 0 2\n"


def test_a_restored_value_is_no_longer_recorded(values: Room) -> None:
    values.run(f"set_value {ETH0} 1 {ETH1} 1")
    values.run(f"set_value {ETH0} 0")

    assert now(values) == ("0", "1", "0")
    assert recorded(values) == f"{FIRST}sysctl {ETH1} 0 1\n"


def test_a_value_that_is_right_is_not_written(values: Room) -> None:
    """In a container it may be read-only."""
    values.run(f"write_sysctl() {{ exit 9; }}; set_value {ETH0} 0 -- {OWN} 0")

    assert (values.status, recorded(values)) == (0, "")


def test_nothing_is_set_where_one_value_cannot_be_read(values: Room) -> None:
    said = values.run(f"set_value {ETH0} 1 net/none 1 || exit 7")

    assert (7, "cannot read /proc/sys/net/none") == (values.status, said.strip().replace(str(values.place), ""))
    assert now(values) == ("0", "0", "0")
    assert recorded(values) == ""


def test_a_start_does_not_wait_for_a_device_that_is_unplugged(values: Room) -> None:
    values.run("starting=yes", f"set_value net/none 1 {ETH0} 1 || exit 7")

    assert (values.status, now(values)) == (0, ("1", "0", "0"))


def test_records_of_another_boot_say_nothing_of_what_was_there(values: Room) -> None:
    values.write("network/recorded", f"boot another\nsysctl {ETH0} 5 1\n")
    values.run(f"set_value {ETH0} 1")

    assert recorded(values) == f"{FIRST}sysctl {ETH0} 0 1\n"


# --- the one switch of older kernels for IPv6

SIX = "proc/sys/net/ipv6/conf"


@pytest.fixture
def six(room: Room) -> Room:
    """The switch is off; eth0 forwards, and hears routers."""
    room.write("proc/sys/net/ipv4/conf/all/forwarding", "0\n")
    for device, forwarding, accept_ra in (("all", 0, 1), ("eth0", 1, 1), ("eth1", 0, 0)):
        room.write(f"{SIX}/{device}/forwarding", f"{forwarding}\n")
        room.write(f"{SIX}/{device}/accept_ra", f"{accept_ra}\n")
    return room


def devices(room: Room) -> str:
    names = [f"{device}/{value}" for device in ("eth0", "eth1") for value in ("forwarding", "accept_ra")]
    return " ".join(room.read(f"{SIX}/{name}").strip() for name in names)


def test_the_switch_leaves_every_device_as_it_was(six: Room) -> None:
    six.run("set_value net/ipv6/conf/all/forwarding 1")

    assert six.read(f"{SIX}/all/forwarding") == "1\n"
    assert devices(six) == "1 1 0 0"
    assert not (six.place / "network/cards6").exists()


def test_router_announcements_are_kept_while_the_switch_is_turned(six: Room) -> None:
    (six.place / SIX / "all/forwarding").unlink()
    (six.place / SIX / "all/forwarding").mkdir()
    six.run("forward_ipv6 1 || exit 7")

    assert six.status == 7
    assert devices(six) == "1 2 0 0"
    assert six.read("network/cards6") == "eth0 1 1\neth1 0 0\n"


def test_a_run_that_was_cut_is_completed_by_the_next_one(six: Room) -> None:
    six.write("network/cards6", "eth0 1 1\neth1 0 0\n")
    for device in ("all", "eth0", "eth1"):
        six.write(f"{SIX}/{device}/forwarding", "1\n")
        six.write(f"{SIX}/{device}/accept_ra", "2\n")
    six.run("forward_ipv6 0")

    assert six.read(f"{SIX}/all/forwarding") == "0\n"
    assert devices(six) == "1 1 0 0"


# --- two networks on one host


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        (f"set_value {ETH0} 1 {ETH1} 1 -- {OWN} 1 || abort 8", True),
        (f"set_value {ETH1} 1 {ETH0} 1 || abort 8", True),
        (f"set_value {ETH0} 2 || abort 8", False),
        (f"# set_value {ETH0} 1 || abort 8", False),
    ],
    ids=["needed", "needed beside another", "another value", "a comment"],
)
def test_what_another_network_needs_is_not_restored(values: Room, other: str, kept: bool) -> None:
    values.write("other/boot", f"#!/bin/sh\n{other}\n")
    values.run(f"set_value {ETH0} 1; set_value {ETH0} 0")

    assert now(values) == ("1" if kept else "0", "0", "0")
    assert recorded(values) == FIRST + (f"sysctl {ETH0} 0 1\n" if kept else "")
