"""Lines of policy: and verify: with services."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, ids
from wgorch.inventory.dump import dump_text
from wgorch.inventory.load import loads
from wgorch.inventory.policy import EVERYTHING, PINGS, PolicyRule, Service


def policy(*lines: str, groups: str = "") -> str:
    """The good inventory with a policy."""
    return BASE.replace("verify:", f"{groups}policy:\n" + "".join(f"  - {line}\n" for line in lines) + "verify:")


def verify(line: str) -> str:
    """The good inventory with one line to verify."""
    return BASE.replace("  - home -> 10.10.13.61", f"  - {line}")


GOOD = "home -> company.lan: tcp 22"

# fmt: off
BAD: list[Row] = [
    ('a rule that forbids', policy('home -x-> company'), '19:5', 'error', 'policy[0]', 'a policy only allows', 'leave it out: what no line allows is refused'),
    ('no arrow', policy(GOOD, 'home company'), '20:5', 'error', 'policy[1]', '"home company" is not a flow', 'write it as: home -> company.lan: tcp 22,443'),
    ('an unknown member', policy('hom -> company'), '19:5', 'error', 'policy[0]', 'there is no host, device or group "hom". Did you mean "home"?', 'one of: bcc, company, home; any, internet, or an address'),
    ('an unknown member with a LAN', policy('home -> compny.lan'), '19:5', 'error', 'policy[0]', 'there is no host, device or group "compny". Did you mean "company"?', 'one of:'),
    ('the LAN of a group', policy('home -> offices.lan', groups='groups:\n  offices: [company]\n'), '21:5', 'error', 'policy[0]', 'offices is a group', 'list the LANs in groups.offices, as NAME.lan'),
    ('from the internet', policy('internet -> home'), '19:5', 'error', 'policy[0]', 'nothing comes from the internet through a tunnel but answers', 'any, or'),
    ('an unknown protocol', policy('home -> company: tpc 22'), '19:22', 'error', 'policy[0]', '"tpc" is no protocol', 'one of: any, ping, tcp, udp'),
    ('a service by its name', policy('home -> company: ssh'), '19:22', 'error', 'policy[0]', '"ssh" is no protocol', 'tcp 22'),
    ('icmp', policy('home -> company: icmp'), '19:22', 'error', 'policy[0]', '"icmp" is no protocol', 'ping'),
    ('a protocol in capitals', policy('home -> company: TCP 22'), '19:22', 'error', 'policy[0]', '"TCP" is no protocol', 'tcp'),
    ('a port without a protocol', policy('home -> company: "22"'), '19:22', 'error', 'policy[0]', '"22" in "22" is no service', 'write it as: tcp 22,443, udp 53, ping'),
    ('port 0', policy('home -> company: tcp 0'), '19:22', 'error', 'policy[0]', '0 is not a port', 'a number 1-65535'),
    ('a port that is too large', policy('home -> company: tcp 22,65536'), '19:22', 'error', 'policy[0]', '65536 is not a port', 'a number 1-65535'),
    ('a range that runs backwards', policy('home -> company: tcp 90-80'), '19:22', 'error', 'policy[0]', '90-80 runs backwards', 'write 80-90'),
    ('a ping with a port', policy('home -> company: ping 7'), '19:22', 'error', 'policy[0]', 'ping has no ports', 'write ping alone'),
    ('two commas', policy('home -> company: "tcp 22,,23"'), '19:22', 'error', 'policy[0]', '"" in "tcp 22,,23" is no service', 'write it as'),
    ('an address with host bits', policy('home -> 10.10.13.5/24'), '19:5', 'error', 'policy[0]', '10.10.13.5/24 has host bits set', 'write the network: 10.10.13.0/24'),
    ('a broken address', policy('home -> 10.10.13.661'), '19:5', 'error', 'policy[0]', 'octet 4 is 661; the maximum is 255', 'a number 0-255 there'),
    ('two flows in one line', policy('{home -> company: ping, home -> bcc: ping}'), '19:5', 'error', 'policy[0]', 'expected a flow like home -> company.lan: tcp 22,443, got a mapping', 'write one value'),
    ('services as a list', policy('home -> company: [tcp, udp]'), '19:22', 'error', 'policy[0]', 'expected services like tcp 22,443, got a list', 'write one value'),
    ('no policy', BASE.replace('verify:', 'policy: []\nverify:'), '18:9', 'error', 'policy', 'empty', 'list what may pass below it, or delete the line'),
    ('a policy in one line', BASE.replace('verify:', f'policy: {GOOD.split(":")[0]}\nverify:'), '18:9', 'error', 'policy', 'expected a list', 'write "- home -> company.lan: tcp 22,443"'),
    ('no such day', policy('home -> company: tcp 22 until 2027-02-30'), '19:22', 'error', 'policy[0]', '"2027-02-30" is no date', 'write it as: until 2027-01-31'),
    ('a day as people write it', policy('home -> company: tcp 22 until 31.1.2027'), '19:22', 'error', 'policy[0]', '"31.1.2027" is no date', 'write it as: until 2027-01-31'),
    ('a day before there were UNIX times', policy('home -> company: tcp 22 until 1969-12-31'), '19:22', 'error', 'policy[0]', '"1969-12-31" is no date', 'write it as'),
    ('an hour that is none', policy('home -> company: tcp 22 until 2027-01-31 25:00'), '19:22', 'error', 'policy[0]', '"2027-01-31 25:00" is no date', 'write it as'),
    ('a test with an end', verify('home -> 10.10.13.61: tcp 22 until 2027-01-31'), '19:5', 'error', 'verify[0]', 'a test has no end', 'leave until out'),
    ('a test of any protocol', verify('home -> 10.10.13.61: any'), '19:5', 'error', 'verify[0]', 'a test sends one kind of packet', 'write ping, tcp PORT or udp PORT'),
    ('a test of every UDP port', verify('home -> 10.10.13.61: udp'), '19:5', 'error', 'verify[0]', 'a test is sent to one port', 'write the ports one by one, as udp 22,443'),
    ('a test of a range', verify('home -> 10.10.13.61: tcp 80-90'), '19:5', 'error', 'verify[0]', 'a test is sent to one port', 'write the ports one by one'),
    ('a test of every port', verify('home -> 10.10.13.61: tcp'), '19:5', 'error', 'verify[0]', 'a test is sent to one port', 'write the ports one by one'),
    ('a group with a broken address', policy(GOOD, groups='groups:\n  servers: [10.10.13.0/33]\n'), '19:13', 'error', 'groups.servers', 'prefix 33 is larger than 32', 'a number 0-32'),
    ('a group of addresses that gives values', policy(GOOD, groups='groups:\n  servers: {members: [10.10.13.0/28], mtu: 1400}\n'), '19:3', 'error', 'groups.servers', 'gives values, and its member 10.10.13.0/28 is an address', 'make two groups of it'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_line_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)


@pytest.mark.parametrize(
    ("line", "services"),
    [
        ("home -> company", (EVERYTHING,)),
        ("home->company: any", (EVERYTHING,)),
        ("home -> company: tcp 443,22", (Service("tcp", ((22, 22), (443, 443))),)),
        ("home -> company: tcp 80, tcp 81, tcp 82-90", (Service("tcp", ((80, 90),)),)),
        ("home -> company: udp 53, ping, tcp", (Service("tcp"), Service("udp", ((53, 53),)), PINGS)),
        ("home -> company: tcp 22, tcp", (Service("tcp"),)),
        ("home -> company: tcp 22, any", (EVERYTHING,)),
    ],
)
def test_services_are_read_in_any_order_and_joined(line: str, services: tuple[Service, ...]) -> None:
    assert services == loads(policy(line)).policy[0].services


def test_an_end_is_a_day_that_belongs_to_it_or_a_time() -> None:
    day, time, alone = loads(
        policy(
            "home -> company: tcp 22 until 2027-01-31",
            "home -> company: tcp 22 until 2027-01-31 18:00",
            "home -> bcc: until 2027-01-31T00:00",
        )
    ).policy

    assert 1801440000 == day.until == time.until + 6 * 3600
    assert "home -> company: tcp 22 until 2027-01-31 18:00" == str(time)
    assert PolicyRule("home", "bcc", (EVERYTHING,), 1801440000 - 86400) == alone


def test_a_group_holds_members_lans_addresses_and_other_groups() -> None:
    groups = "groups:\n  servers: [10.10.13.0/28, company, more]\n  more: [company.lan, 'fd00::1', bcc]\n"
    inventory = loads(policy("home -> servers", groups=groups))

    assert ("10.10.13.0/28", "company", "company.lan", "fd00::1", "bcc") == inventory.groups["servers"]


def test_what_is_loaded_is_written_and_loaded_again() -> None:
    lines = ["home -> servers: tcp 22,80-90, ping until 2027-01-31 18:00", "any -> bcc", "home -> internet: udp 53"]
    inventory = loads(policy(*lines, groups="groups:\n  servers: [10.10.13.0/28, company.lan]\n  unused: [home]\n"))
    again = loads(dump_text(inventory))

    assert inventory.policy == again.policy
    assert {"servers": ("10.10.13.0/28", "company.lan")} == again.groups


def test_lines_to_verify_have_services_and_may_be_refused() -> None:
    flows = loads(verify("home -x-> 10.10.13.61: tcp 22,3389, ping")).verify

    assert ["tcp 22", "tcp 3389", "ping"] == [str(flow.service) for flow in flows]
    assert {True} == {flow.refused for flow in flows}
    assert [22, 3389, 0] == [flow.port for flow in flows]
