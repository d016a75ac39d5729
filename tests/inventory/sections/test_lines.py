"""Lines of links: and verify:."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, ids, swap

# fmt: off
BAD: list[Row] = [
    ('a flow that is not in a list', swap('  - home -> 10.10.13.61\n','')[:-1]+' home -> 10.10.13.61\n', '18:9', 'error', 'verify', 'expected a list', 'write "- home -> 10.10.13.61" on lines of their own'),
    ('another arrow in a flow', swap('home -> 10.10.13.61','home => 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home => 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow from an unknown host', swap('home -> 10.10.13.61','hom -> 10.10.13.61'), '19:5', 'error', 'verify[0]', 'there is no host "hom". Did you mean "home"?', 'one of: bcc, company, home'),
    ('a flow to an unknown host', swap('home -> 10.10.13.61','home -> comany'), '19:5', 'error', 'verify[0]', 'there is no host "comany". Did you mean "company"?', 'one of: bcc, company, home'),
    ('a flow to a broken address', swap('home -> 10.10.13.61','home -> 10.10.13.661'), '19:5', 'error', 'verify[0]', 'octet 4 is 661; the maximum is 255', 'a number 0-255 there'),
    ('a flow without a reader', swap('home -> 10.10.13.61','-> 10.10.13.61'), '19:5', 'error', 'verify[0]', '"-> 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow with a colon', swap('home -> 10.10.13.61','home: 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow without a word', swap('  - home -> 10.10.13.61\n','  -\n'), '19:4', 'error', 'verify[0]', 'empty', 'give a value or delete the line'),
    ('verify without a flow', swap('  - home -> 10.10.13.61\n',''), '18:8', 'error', 'verify', 'empty', 'list flows below it, or delete the line'),
    ('a typographic arrow', swap('home -> 10.10.13.61','home → 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home → 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow through a host', swap('home -> 10.10.13.61','home -> bcc -> 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home -> bcc -> 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow to a network', swap('home -> 10.10.13.61','home -> 10.10.13.0/24'), '19:5', 'error', 'verify[0]', '"10.10.13.0/24" has a prefix', 'write the address alone: 10.10.13.0'),
    ('a flow to a port', swap('home -> 10.10.13.61','home -> 10.10.13.61:80'), '19:5', 'error', 'verify[0]', '"10.10.13.61:80" has a port', 'write it as: home -> 10.10.13.61: tcp 80'),
    ('no space behind the dash of a flow', BASE.replace('  - home','  -home'), '19:3', 'error', 'verify', 'expected a list', 'write "- home -> 10.10.13.61" on lines of their own'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_line_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
