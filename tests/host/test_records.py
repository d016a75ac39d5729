"""The file of records: what was there before wgorch changed what can carry no mark."""

from __future__ import annotations

import pytest

from tests.host.room import BOOT_ID, Room

RECORDED = "network/recorded"
FIRST = f"boot {BOOT_ID}"


def test_records_are_added_once_and_each_kind_and_name_apart(room: Room) -> None:
    room.run('add_record "table nat"', 'add_record "chain nat/POSTROUTING"', 'add_record "table nat"')

    assert room.read(RECORDED) == f"{FIRST}\ntable nat\nchain nat/POSTROUTING\n"


def test_records_of_another_boot_are_void(room: Room) -> None:
    room.write(RECORDED, "boot another\ntable nat\n")
    assert room.run("read_record table nat", 'echo "<$reply_before>"') == "<>\n"
    room.run('add_record "table filter"')

    assert room.read(RECORDED) == f"{FIRST}\ntable filter\n"


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("sysctl", "net/ipv4/conf/eth0/forwarding", "0"),
        ("table", "nat", "yes"),
        ("table", "filter", ""),
        ("chain", "nat", ""),
        ("sysctl", "net/ipv4/conf/eth0", ""),
    ],
)
def test_a_record_is_found_by_kind_and_name(room: Room, kind: str, name: str, found: str) -> None:
    room.write(RECORDED, f"{FIRST}\nall4 0\nsysctl net/ipv4/conf/eth0/forwarding 0 1\ntable nat\n")

    assert room.run(f"read_record {kind} {name}", 'echo "<$reply_before>"') == f"<{found}>\n"


def test_one_record_is_dropped_and_no_other(room: Room) -> None:
    room.write(RECORDED, f"{FIRST}\nall4 0\nsysctl net/a 0 1\nsysctl net/a/b 0 1\ntable nat\n")
    room.run("drop_record sysctl net/a")

    assert room.read(RECORDED) == f"{FIRST}\nall4 0\nsysctl net/a/b 0 1\ntable nat\n"


def test_whether_all_interfaces_forwarded_is_recorded_with_the_first_sysctl_only(room: Room) -> None:
    room.write("proc/sys/net/ipv4/conf/all/forwarding", "0\n")
    room.run("record_sysctls net/a 0 1")
    room.write("proc/sys/net/ipv4/conf/all/forwarding", "1\n")
    room.run("record_sysctls net/b 0 1 net/a 0 2")

    assert room.read(RECORDED) == f"{FIRST}\nall4 0\nsysctl net/b 0 1\nsysctl net/a 0 2\n"
