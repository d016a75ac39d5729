"""A run over an inventory that leaves addresses open: what hosts really have is kept, whatever was supposed of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.trace.recordings import recorded
from wgorch.inventory.load import loads
from wgorch.plan.learned import double_claims, keep_addresses
from wgorch.run import Run

HOSTS = """
network: {name: office, subnet: 192.168.2.0/24}
hosts:
  ghost: {ssh: root@192.0.2.9}
  company: {ssh: root@10.10.13.62}
  home: {ssh: root@192.168.0.9}
  bcc: {ssh: root@203.0.113.13, endpoint: "203.0.113.13:38371", relay: true}
"""


def test_hosts_keep_the_addresses_they_have_and_one_that_could_not_be_asked_gives_way() -> None:
    nobody: Any = None
    run = Run(loads(HOSTS), nobody, nobody, nobody)
    supposed = {name: str(host.address) for name, host in run.inventory.hosts.items()}
    run.seen, _, _ = recorded("healthy")
    kept = keep_addresses(run.inventory, run.seen)
    found = {name: str(host.address) for name, host in kept.hosts.items()}

    assert supposed["ghost"] == "192.168.2.1"
    assert found == {"ghost": "192.168.2.4", "company": "192.168.2.3", "home": "192.168.2.2", "bcc": "192.168.2.1"}


def test_two_that_have_one_address_are_refused_by_name() -> None:
    nobody: Any = None
    run = Run(loads(HOSTS), nobody, nobody, nobody)
    seen, _, _ = recorded("healthy")
    taken = next(pair for pair in seen["company"].links.addresses if str(pair[1]) == "192.168.2.3/24")
    links = replace(seen["home"].links, addresses=(*seen["home"].links.addresses, taken))
    claimed = {**seen, "home": replace(seen["home"], links=links)}
    errors = list(double_claims(run.inventory, claimed))

    assert ["company", "home"] == sorted(error.host for error in errors)
    assert {"192.168.2.3 is on home and company"} == {error.problem for error in errors}
    assert keep_addresses(run.inventory, claimed).hosts.keys() == run.inventory.hosts.keys()
    assert [] == list(double_claims(run.inventory, seen))
