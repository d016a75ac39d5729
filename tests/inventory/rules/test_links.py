"""Rules for links."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, ids
from wgorch.errors import InventoryError
from wgorch.inventory.load import loads

LINKS = BASE + "links:\n  - "
CLOUD = BASE.replace("verify:", "  cloud:\n    ssh: root@cloud.example\n    endpoint: cloud.example:51820\nverify:")
NO_RELAY = CLOUD.replace("    relay: true\n", "") + "links:\n  - "
TWO_RELAYS = CLOUD.replace("cloud.example:51820\n", "cloud.example:51820\n    relay: true\n") + "links:\n  - "

# fmt: off
BAD: list[Row] = [
    ('another arrow in a link', LINKS+'home -> bcc\n', '21:5', 'error', 'links[0]', '"home -> bcc" is not a link', 'write it as: home -- bcc, or as: cloud -x- home'),
    ('a link to an unknown host', LINKS+'home -- bc\n', '21:5', 'error', 'links[0]', 'there is no host "bc". Did you mean "bcc"?', 'one of: bcc, company, home'),
    ('a link of one host', LINKS+'home -- home\n', '21:5', 'error', 'links[0]', 'home is linked to itself', 'name two hosts'),
    ('a link of two spokes', LINKS+'home -- company\n', '21:5', 'error', 'links[0]', 'neither home nor company has an endpoint, so neither can connect to the other', 'delete the line; a relay connects them'),
    ('a relay kept from a spoke', LINKS+'home -x- bcc\n', '21:5', 'error', 'links[0]', 'bcc is a relay; it must reach every host', 'relay: false there, or delete the line'),
    ('two separated hosts without a relay', NO_RELAY+'cloud -x- home\n', '23:5', 'error', 'links[0]', 'no relay could connect cloud and home: no host is a relay', 'relay: true on one'),
    ('two lines about the relays of one spoke', TWO_RELAYS+'home -- bcc\n  - home -- cloud\n', '26:5', 'error', 'links[1]', 'home has the relay bcc already, by links[0]', 'keep one of the two, or both in one line: home -- [bcc, cloud]'),
    ('a list with a host that is no relay', CLOUD+'links:\n  - home -- [bcc, cloud]\n', '24:5', 'error', 'links[0]', 'cloud is no relay', 'relay: true there, or leave it out of the list of home'),
    ('a list with one relay twice', TWO_RELAYS+'home -- [bcc, cloud, bcc]\n', '25:5', 'error', 'links[0]', '"home -- [bcc, cloud, bcc]" names bcc twice', 'name each relay once, the preferred one first'),
    ('several hosts separated at once', CLOUD+'links:\n  - home -x- [bcc, cloud]\n', '24:5', 'error', 'links[0]', '"home -x- [bcc, cloud]" separates several hosts at once', 'a line for each of them'),
    ('an empty list of relays', LINKS+'home -- []\n', '21:5', 'error', 'links[0]', '"home -- []" is not a link', 'write it as: home -- bcc, or as: cloud -x- home'),
    ('a list with an unknown relay', LINKS+'home -- [bcc, bc]\n', '21:5', 'error', 'links[0]', 'there is no host "bc". Did you mean "bcc"?', 'one of: bcc, company, home'),
    ('links without a line', BASE+'links:\n', '20:7', 'error', 'links', 'empty', 'list links below it, or delete the line'),
    ('links as a mapping', BASE+'links: {a: b}\n', '20:8', 'error', 'links', 'expected a list', 'write "- home -- bcc" on lines of their own'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_link_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("standby_port: 51820", "UDP 51820 to 51821 are for sessions with relays, and listen_port 51820 is among them"),
        ("standby_port: 65535", "with 2 relays UDP 65535 to 65536 are needed, and the last port is 65535"),
    ],
)
def test_ports_that_cannot_be_are_refused(field: str, problem: str) -> None:
    text = TWO_RELAYS.removesuffix("links:\n  - ").replace("  home:\n", f"  home:\n    {field}\n")
    with pytest.raises(InventoryError) as error:
        loads(text)
    assert any(problem in line for line in error.value.problems), error.value.problems
