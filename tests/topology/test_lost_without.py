"""What `check` says of several relays: the lines of `verify:` that would not hold without one of them."""

from __future__ import annotations

from wgorch.inventory.load import loads
from wgorch.topology.path import lost_without
from wgorch.topology.topology import build

TEXT = """
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  a: {ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}
  b: {ssh: root@203.0.113.11, endpoint: "203.0.113.11:51820", relay: true}
  c: {ssh: root@203.0.113.12, endpoint: "203.0.113.12:51820", relay: true}
  home: {ssh: root@192.168.0.9}
  shop: {ssh: root@192.168.1.9, subnets: [10.10.13.0/24]}
links:
  - LINK
verify: [home -> 10.10.13.61]
"""


def lost(link: str) -> list[str]:
    return [each.text for each in lost_without(build(loads(TEXT.replace("LINK", link))))]


def test_with_the_same_relays_for_all_nothing_is_lost() -> None:
    assert [] == lost("home -- [a, b, c]")
    assert [] == lost("home -- [c, a, b]")


def test_what_depends_on_one_relay_alone_is_no_news() -> None:
    assert [] == lost("home -- b")


def test_relays_that_the_other_end_does_not_have_are_named() -> None:
    """home sends by a, which reaches shop through b alone."""
    text = TEXT.replace("LINK", "home -- [a, b]\n  - shop -- [b, c]")
    said = [each.text for each in lost_without(build(loads(text)))]
    assert said
    assert all("without" in each for each in said)
