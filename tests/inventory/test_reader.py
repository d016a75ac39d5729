"""YAML that is refused: duplicate keys, aliases, anchors, tags, documents, depth."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, address, assert_shown, home, ids, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('a field given twice', home('    address: 192.168.2.4\n'), '13:5', 'error', 'hosts.home.address', 'given twice (first at 12:5)', 'keep one'),
    ('a host given twice', swap('  company:','  home:'), '13:3', 'error', 'hosts.home', 'given twice (first at 10:3)', 'keep one'),
    ('a section given twice', BASE+'network: {}\n', '20:1', 'error', 'network', 'given twice (first at 1:1)', 'keep one'),
    ('an alias', subnets('*a'), '16:14', 'error', 'hosts.company.subnets', 'aliases ("*a") are not accepted', 'repeat the value'),
    ('an anchor', subnets('&a [10.10.13.0/24]'), '16:14', 'error', 'hosts.company.subnets', 'anchors ("&a") are not accepted', 'repeat the value where it is needed'),
    ('a merge key', home('    <<: {relay: true}\n'), '13:5', 'error', 'hosts.home.<<', 'merge keys ("<<") are not accepted', 'repeat the values'),
    ('a merged alias', home('    <<: *x\n'), '13:5', 'error', 'hosts.home.<<', 'merge keys ("<<") are not accepted', 'repeat the values'),
    ('a tag that would run code', address('!!python/object/apply:os.system [x]'), '12:14', 'error', 'hosts.home.address', 'tags ("!!python/object/apply:os.system") are not accepted', 'delete the tag'),
    ('a harmless tag', address('!!str 192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'tags ("!!str") are not accepted', 'delete the tag'),
    ('the empty tag', address('! 192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'tags ("!") are not accepted', 'delete the tag'),
    ('lists nested deeply', 'a: '+'['*30+']'*30, '1:23', 'error', '', 'nested deeper than 20 levels', 'an inventory needs 6 at most'),
    ('a raw NUL', address('192.168\0.2.2'), '12:21', 'error', '', 'character U+0000 is not allowed in YAML', 'delete it, or save the file as UTF-8 text'),
    ('a raw escape', address('192.168\x1b.2.2'), '12:21', 'error', '', 'character U+001B is not allowed in YAML', 'delete it, or save the file as UTF-8 text'),
    ('a template', address('{{ ip }}'), '12:15', 'error', '', 'a key must be a word, not a list or a mapping', 'write the value itself; templates ({{ … }}) are not read'),
    ('two documents', BASE+'---\n'+BASE, '20:1', 'error', '', 'a second document starts here', 'keep one document; delete the "---"'),
    ('a list as a key', '? [a]\n: b\n', '1:3', 'error', '', 'a key must be a word, not a list or a mapping', 'write key: value'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_refused_yaml_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
