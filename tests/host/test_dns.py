"""The host's name servers: set, kept, restored."""

from __future__ import annotations

from tests.host.room import Room

BEFORE = "search example.net\nnameserver 192.0.2.53\noptions edns0\n"
SET = "set_dns wgorch:office 10.0.0.1 10.0.0.2 || exit 7"
AFTER = "# wgorch:office\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example.net\noptions edns0\n"
RESTORE = "restore_dns wgorch:office || exit 7"


def test_name_servers_are_replaced_and_the_rest_stays(room: Room) -> None:
    room.write("etc/resolv.conf", BEFORE)
    room.run(SET)

    assert room.read("etc/resolv.conf") == AFTER
    assert room.read("network/resolv.before") == BEFORE
    assert 0o644 == (room.place / "etc/resolv.conf").stat().st_mode & 0o777


def test_setting_them_twice_keeps_what_was_there_first(room: Room) -> None:
    room.write("etc/resolv.conf", BEFORE)
    room.run(SET, SET.replace("10.0.0.1", "10.0.0.9"))

    assert room.read("etc/resolv.conf") == AFTER.replace("10.0.0.1", "10.0.0.9")
    assert room.read("network/resolv.before") == BEFORE


def test_they_are_restored_as_they_were(room: Room) -> None:
    room.write("etc/resolv.conf", BEFORE)
    room.run(SET, RESTORE, RESTORE)

    assert (room.status, room.read("etc/resolv.conf")) == (0, BEFORE)


def test_a_link_is_restored_as_a_link(room: Room) -> None:
    room.write("run/resolv.conf", BEFORE)
    (room.place / "etc/resolv.conf").symlink_to("../run/resolv.conf")
    room.run(SET)
    assert not (room.place / "etc/resolv.conf").is_symlink()
    assert room.read("etc/resolv.conf") == AFTER
    room.run(RESTORE)

    assert str((room.place / "etc/resolv.conf").readlink()) == "../run/resolv.conf"
    assert room.read("run/resolv.conf") == BEFORE


def test_where_there_was_no_file_there_is_none_again(room: Room) -> None:
    room.run(SET)
    assert room.read("etc/resolv.conf") == "# wgorch:office\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n"
    room.run(RESTORE)

    assert not (room.place / "etc/resolv.conf").exists()


def test_name_servers_of_others_are_left_alone(room: Room) -> None:
    room.write("etc/resolv.conf", "# wgorch:branch\nnameserver 10.9.0.1\n")
    room.write("network/resolv.before", BEFORE)
    room.run(RESTORE)

    assert room.read("etc/resolv.conf") == "# wgorch:branch\nnameserver 10.9.0.1\n"
