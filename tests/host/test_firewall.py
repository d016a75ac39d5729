"""Jumps, chains and tables of iptables and nft."""

from __future__ import annotations

import pytest

from tests.host.room import BOOT_ID, Room

JUMP = '-A FORWARD -m comment --comment "wgorch:office" -j wgorch-office-fwd'
SAVE = f"cat <<'END'\n*filter\n:FORWARD ACCEPT [0:0]\n{JUMP}\nCOMMIT\nEND"
DELETE = "iptables --wait 10 -t filter -D FORWARD -m comment --comment wgorch:office -j wgorch-office-fwd"
REMOVE = "remove_jump filter FORWARD wgorch:office wgorch-office-fwd"


def finds(room: Room, count: int) -> str:
    """A stand-in that finds a jump so many times."""
    return f'[ "$(grep -c -- " -D " {room.place}/calls)" -le {count} ]'


def test_a_jump_is_deleted_until_it_is_absent(room: Room) -> None:
    room.stub("iptables-save", SAVE)
    room.stub("iptables", finds(room, 2))
    room.run(f"{REMOVE} || exit 7")

    assert room.status == 0
    assert room.calls == ["iptables-save ", *[DELETE] * 3]


def test_a_jump_that_does_not_go_is_no_endless_loop(room: Room) -> None:
    room.stub("iptables-save", SAVE)
    room.stub("iptables", "exit 0")
    room.run(f"{REMOVE} || exit 7")

    assert room.status == 7
    assert len(room.calls) == 1 + 64


def test_an_absent_jump_takes_no_process_and_rules_are_asked_for_once(room: Room) -> None:
    room.stub("iptables-save", "echo '*filter'")
    room.stub("ip6tables-save", "echo '*filter'")
    room.stub("iptables", "exit 0")
    room.run(
        f"{REMOVE} nat POSTROUTING wgorch:office wgorch-office-nat filter6 FORWARD wgorch:office wgorch-office-fwd"
    )

    assert room.calls == ["iptables-save ", "ip6tables-save "]


def test_rules_are_asked_for_again_once_they_are_forgotten(room: Room) -> None:
    room.stub("iptables-save", "echo '*filter'")
    room.run(REMOVE, REMOVE, "rules4='' rules6=''", REMOVE)

    assert room.calls == ["iptables-save "] * 2


def test_a_jump_of_ipv6_is_deleted_by_its_own_tool(room: Room) -> None:
    room.stub("ip6tables-save", SAVE)
    room.stub("ip6tables", finds(room, 1))
    room.run("remove_jump filter6 FORWARD wgorch:office wgorch-office-fwd")

    assert room.calls == ["ip6tables-save ", *[DELETE.replace("iptables", "ip6tables")] * 2]


# --- tables

HOOK = "type nat hook postrouting priority srcnat; policy accept;"
EMPTY = f"table ip nat {{\nchain POSTROUTING {{\n{HOOK}\n}}\n}}"


@pytest.mark.parametrize(
    ("content", "goes"),
    [
        (EMPTY, True),
        (EMPTY.replace(HOOK, f"{HOOK}\noifname eth0 masquerade"), False),
        (EMPTY.replace("accept", "drop"), False),
        (EMPTY.replace("POSTROUTING", "theirs"), False),
        (EMPTY.replace("chain POSTROUTING", "set theirs"), False),
        ("", False),
    ],
    ids=["untouched", "a rule", "a policy", "a chain", "a set", "absent"],
)
def test_only_an_untouched_table_is_deleted(room: Room, content: str, goes: bool) -> None:
    room.write("network/recorded", f"boot {BOOT_ID}\ntable nat\n")
    room.stub("nft", f"cat <<'END'\n{content}\nEND")
    room.run("drop_table nat || exit 7")

    assert room.status == 0
    assert ("nft delete table ip nat" in room.calls) == goes


@pytest.mark.parametrize(("left", "record"), [("", ""), ("*nat\n", "table nat\n")], ids=["gone", "still there"])
def test_the_record_goes_with_the_table(room: Room, left: str, record: str) -> None:
    room.write("network/recorded", f"boot {BOOT_ID}\ntable nat\ntable nat6\n")
    room.stub("iptables-save", f"[ -n \"$*\" ] || printf '{left}'")
    room.stub("nft", "exit 1")
    room.run("drop_table nat")

    assert room.read("network/recorded") == f"boot {BOOT_ID}\n{record}table nat6\n"


def test_tables_that_are_not_there_yet_are_recorded(room: Room) -> None:
    room.stub("iptables-save", "echo '*filter'")
    room.stub("ip6tables-save", "echo '*nat'")
    room.run("note_table filter nat nat6 filter6")

    assert room.read("network/recorded") == f"boot {BOOT_ID}\ntable nat\ntable filter6\n"


OURS = "chain nat/POSTROUTING\n"


@pytest.mark.parametrize(
    ("recorded", "listed", "goes"),
    [
        (OURS, EMPTY, True),
        (OURS, EMPTY.replace("accept", "drop"), False),
        (OURS, EMPTY.replace(HOOK, f"{HOOK}\noifname eth0 masquerade"), False),
        (OURS, "", False),
        ("", EMPTY, False),
    ],
    ids=["ours", "with another policy", "with a rule of others", "unreadable", "not ours"],
)
def test_a_built_in_chain_goes_only_where_it_is_there_because_of_the_network(
    room: Room, recorded: str, listed: str, goes: bool
) -> None:
    room.write("network/recorded", f"boot {BOOT_ID}\n{recorded}")
    room.stub("nft", f"cat <<'END'\n{listed}\nEND")
    room.run("drop_chain nat POSTROUTING || exit 7")

    assert room.status == 0
    assert ("nft delete chain ip nat POSTROUTING" in room.calls) == goes
    assert room.read("network/recorded") == f"boot {BOOT_ID}\n{'' if goes else recorded}"


LISTED = """table inet wgorch-office { # handle 3
\tchain arriving { # handle 1
\t\tip saddr 10.0.0.1 tcp dport 22 accept comment "wgorch:office 0123456789ab@1000" # handle 7
\t\tip saddr 10.0.0.2 accept comment "wgorch:office 0123456789ac@99999999999" # handle 8
\t\tip saddr 10.0.0.3 accept comment "wgorch:office 0123456789ad" # handle 9
\t\tip saddr 10.0.0.4 accept comment "wgorch:office 0123456789ad@soon" # handle 10
\t\tip saddr 10.0.0.5 accept comment "of someone@900" # handle 11
\t}
\tchain relayed { # handle 2
\t\tip saddr 10.0.0.1 accept comment "wgorch:office 0123456789ab@1001" # handle 12
\t\tdrop comment "wgorch:office c5451357eae9" # handle 13
\t}
}"""


def test_rules_whose_time_is_over_are_deleted_and_no_others(room: Room) -> None:
    room.stub("nft", f"case $* in '-f -') cat >>{room.place}/loaded ;; *) cat <<'END'\n{LISTED}\nEND\nesac")
    room.stub("date", "echo 1001")
    room.run("end_rules office || exit 7")

    assert 0 == room.status
    assert [
        "delete rule inet wgorch-office arriving handle 7",
        "delete rule inet wgorch-office relayed handle 12",
    ] == (room.place / "loaded").read_text().splitlines()


def test_without_a_table_nothing_ends(room: Room) -> None:
    room.stub("nft", "case $* in '-f -') cat ;; *) exit 1 ;; esac")
    room.run("end_rules office || exit 7")

    assert 0 == room.status


def test_a_host_without_a_tunnel_waits_for_no_connections(room: Room) -> None:
    room.run("track_connections office inet no-such-interface || exit 7")

    assert room.status == 0
    assert room.calls == []


CHAIN = "restate_chain mangle FORWARD wgorch:office wgorch-office-pfw 1"
RULES = "printf '%s\\n' '-A wgorch-office-pfw -j RETURN'"


def listing(*jumps: str) -> str:
    return "cat <<'END'\n*mangle\n:FORWARD ACCEPT [0:0]\n" + "".join(f"{line}\n" for line in jumps) + "COMMIT\nEND"


OWN = "-m comment --comment wgorch:office -j wgorch-office-pfw"


@pytest.mark.parametrize(
    ("jumps", "gone"),
    [
        ((), 0),
        ((f"-A FORWARD {OWN}",), 1),
        (('-A FORWARD -m comment --comment "wgorch:office" -j wgorch-office-pfw', f"-A FORWARD {OWN}"), 2),
        (("-A FORWARD -j wgorch-office-pfw", "-A FORWARD -m comment --comment wgorch:office -j wgorch-office-mss"), 0),
        (("-A INPUT -m comment --comment wgorch:office -j wgorch-office-pfw",), 0),
    ],
    ids=["none", "one", "two, one quoted", "of others", "of another parent"],
)
def test_a_chain_is_stated_with_its_jumps_in_one_transaction(room: Room, jumps: tuple[str, ...], gone: int) -> None:
    room.stub("iptables-save", listing(*jumps))
    room.stub("iptables-restore", f"cat >{room.place}/restored")
    room.run(f"{RULES} | {CHAIN} || exit 7")

    assert 0 == room.status
    assert [
        "*mangle",
        ":wgorch-office-pfw - [0:0]",
        "-A wgorch-office-pfw -j RETURN",
        *[f"-D FORWARD {OWN}"] * gone,
        f"-I FORWARD 1 {OWN}",
        "COMMIT",
    ] == (room.place / "restored").read_text().splitlines()


@pytest.mark.parametrize(("place", "number"), [(1, 1), (2, 4), (3, 5), (9, 5)])
def test_a_place_is_one_among_the_rules_of_others(room: Room, place: int, number: int) -> None:
    own = "-A FORWARD -m comment --comment wgorch:office -j wgorch-office-"
    jumps = (f"{own}mss", "-A FORWARD -s 10.0.0.1/32 -j DROP", f"{own}pfw", f"{own}x", "-A FORWARD -i lo -j ACCEPT")
    room.stub("iptables-save", listing(*jumps))
    room.stub("iptables-restore", f"cat >{room.place}/restored")
    room.run(f"{RULES} | {CHAIN.removesuffix('1')}{place} || exit 7")

    assert f"-I FORWARD {number} {OWN}" in (room.place / "restored").read_text().splitlines()


def test_a_chain_that_is_refused_is_tried_five_times(room: Room) -> None:
    room.stub("iptables-save", listing())
    room.stub("iptables-restore", "cat >/dev/null; exit 1")
    room.run(f"{RULES} | {CHAIN} || exit 7")

    assert 7 == room.status
    assert 5 == sum(call.startswith("iptables-restore") for call in room.calls)


SAVED = """*mangle
:wgorch-office-pfw - [0:0]
-A wgorch-office-pfw -s 10.0.0.1/32 -m comment --comment wgorch:office -m comment --comment until:1001 -j RETURN
-A wgorch-office-pfw -s 10.0.0.2/32 -m comment --comment wgorch:office -m comment --comment until:1002 -j RETURN
-A wgorch-office-pfw -s 10.0.0.3/32 -m comment --comment wgorch:office -j RETURN
-A wgorch-other-pfw -s 10.0.0.4/32 -m comment --comment wgorch:other -m comment --comment until:5 -j RETURN
-A wgorch-office-pfw -s 10.0.0.5/32 -m comment --comment wgorch:office -m comment --comment until:soon -j RETURN
-A wgorch-office-pin -s 10.0.0.6/32 -m comment --comment "wgorch:office" -m comment --comment "until:7" -j RETURN
COMMIT"""


def test_rules_of_iptables_end_without_nft(room: Room) -> None:
    room.stub("iptables-save", f"cat <<'END'\n{SAVED}\nEND")
    room.stub("iptables-restore", f"cat >{room.place}/restored")
    room.stub("date", "echo 1001")
    room.run("end_rules office || exit 7")

    assert 0 == room.status
    rule = "-s 10.0.0.1/32 -m comment --comment wgorch:office -m comment --comment until:1001 -j RETURN"
    restored = (room.place / "restored").read_text().splitlines()
    quoted = '-s 10.0.0.6/32 -m comment --comment "wgorch:office" -m comment --comment "until:7" -j RETURN'
    assert ["*mangle", f"-D wgorch-office-pfw {rule}", f"-D wgorch-office-pin {quoted}", "COMMIT"] == restored


def test_an_nft_that_fails_ends_nothing(room: Room) -> None:
    room.stub("nft", "echo Protocol not supported; exit 1")
    room.run("end_rules office || exit 7")

    assert 0 == room.status


LISTING = 'table inet wgorch-office {\n\tchain arriving {\n\t\ttcp dport 22 accept comment "wgorch:office aa"\n\t\taccept comment "wgorch:office bb"\n\t}\n}'
NFT = f"case $* in '-f -') cat >/dev/null ;; --version) echo nftables v1 ;; *) cat <<'END'\n{LISTING}\nEND\nesac"


def test_what_was_loaded_is_kept_with_the_words_of_nft(room: Room) -> None:
    room.stub("nft", NFT)
    room.run("printf 'table inet wgorch-office {\\n}\\n' | load_rules office || exit 7")

    assert 0 == room.status
    assert f"nftables v1\n{LISTING}\n" == room.read("network/nft.loaded")


def test_a_foreign_rule_that_a_rollback_states_is_not_kept_as_ours(room: Room) -> None:
    room.stub("nft", NFT)
    room.run("""printf 'accept comment "wgorch:office bb" # foreign\\n' | load_rules office || exit 7""")

    kept = room.read("network/nft.loaded")
    assert "wgorch:office aa" in kept
    assert "wgorch:office bb" not in kept


def test_rules_are_loaded_where_nothing_can_be_kept(room: Room) -> None:
    room.stub("nft", NFT)
    room.stub("mv", "exit 1")
    room.run("printf 'table inet wgorch-office\\n' | load_rules office || exit 7")

    assert 0 == room.status
    assert not room.read("network/nft.loaded")


def test_rules_that_nft_refuses_are_an_error(room: Room) -> None:
    room.stub("nft", "exit 1")
    room.run("printf 'nonsense\\n' | load_rules office || exit 7")

    assert 7 == room.status
