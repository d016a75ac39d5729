"""Several networks on the same hosts, and networks that were renamed or changed: each is known by its mark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from random import Random

import pytest

from tests.conftest import SEED, draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab, own_lab

pytestmark = pytest.mark.slow(130)

REFERENCE = INVENTORY.read_text()
LAN = "subnets: [10.10.13.0/24]"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Hosts without systemd: only `up` and a boot script that a test runs bring a network up."""
    with own_lab("networks", tmp_path_factory, systemd=False) as lab:
        yield lab


def another(name: str, number: int) -> str:
    """The reference network once more, beside the first: its own interface, addresses, ports, and name for the LAN."""
    text = REFERENCE.replace("name: office", f"name: {name}\n  interface: wg{number}")
    text = text.replace("192.168.2.", f"192.168.{70 + number}.").replace(":38371", f":{38371 + number}")
    text = text.replace(LAN, f"subnets: [{{lan: 10.10.13.0/24, as: 10.{90 + number}.13.0/24}}]")
    text = text.replace("home -> 10.10.13.61", f"home -> 10.{90 + number}.13.61")
    return "".join(
        f"{line}    listen_port: {52000 + number}\n"
        if line.startswith("    address: ") and ".1\n" not in line
        else line
        for line in text.splitlines(keepends=True)
    )


TEXTS = {"office": REFERENCE, "branch": another("branch", 1), "third": another("third", 2)}

ORDERS = [(ups, downs) for ups in permutations(TEXTS) for downs in permutations(TEXTS)]


@pytest.mark.parametrize(("ups", "downs"), draw(ORDERS, 2, salt="orders"))
def test_a_network_that_goes_leaves_the_others_and_the_last_one_the_baseline(
    own: Lab, ups: tuple[str, ...], downs: tuple[str, ...]
) -> None:
    chance = Random(f"{SEED}{ups}{downs}")
    files = {name: own.inventory(text, f"{name}.yaml") for name, text in TEXTS.items()}
    for name in ups:
        own.up(files[name])
    if chance.random() < 0.3:
        for host in HOSTS:
            own.world.reboot(host)
            for name in chance.sample(list(ups), len(ups)):
                own.world.sh(host, f"sh /var/lib/wgorch/{name}/boot")
    standing = list(ups)
    for name in downs:
        own.wgorch("teardown", files[name], "--yes", "--purge")
        standing.remove(name)
        for other in standing:
            assert "No changes." in own.wgorch("plan", files[other]).stdout
            own.wgorch("verify", files[other])

    assert own.differences(ignore=()) == {}


def test_what_others_put_into_chains_of_wgorch_s_making_stays(own: Lab) -> None:
    theirs = (
        "iptables -t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE",
        "iptables -A FORWARD -s 10.9.0.0/16 -j ACCEPT",
        "nft 'add set ip mangle theirs { type ipv4_addr; elements = { 10.9.0.1 }; }'",
    )
    own.up()
    for command in theirs:
        own.world.sh("company", command)
    own.wgorch("teardown", INVENTORY, "--yes", "--purge")
    rules = own.world.sh("company", "nft list ruleset")
    own.world.sh("company", "nft flush ruleset")

    assert (2, 1) == (rules.count("ip saddr 10.9.0.0/16 "), rules.count("elements = { 10.9.0.1 }")), rules
    assert "wgorch" not in rules
    assert own.differences(ignore=()) == {}


@pytest.mark.parametrize(
    ("extra", "refused"),
    [
        (
            ("    address: {home}\n", "    address: {home}\n    exit: bcc\n"),
            "home: cannot use an exit node: another network of wgorch routes all other traffic there already",
        ),
        (
            ("    address: {home}\n", "    address: {home}\n    dns: [10.10.13.61]\n"),
            "home: cannot set its name servers: network office of wgorch sets them there already",
        ),
    ],
    ids=["an exit node", "name servers"],
)
def test_what_a_host_has_once_only_one_network_takes(own: Lab, extra: tuple[str, str], refused: str) -> None:
    def with_extra(text: str, address: str) -> str:
        old, new = (part.format(home=address) for part in extra)
        assert old in text
        return text.replace(old, new)

    first = own.inventory(with_extra(REFERENCE, "192.168.2.2"), "first.yaml")
    second = own.inventory(with_extra(TEXTS["branch"], "192.168.71.2"), "second.yaml")
    plain = own.inventory(TEXTS["branch"], "plain.yaml")
    own.up(first)
    assert refused in own.wgorch("plan", second, code=4).stderr
    own.up(plain)
    assert "No changes." in own.wgorch("plan", first).stdout
    own.world.sh("home", "sh /var/lib/wgorch/branch/boot")
    assert "No changes." in own.wgorch("plan", first).stdout
    own.wgorch("teardown", first, "--yes", "--purge")
    assert "No changes." in own.wgorch("plan", plain).stdout
    own.wgorch("teardown", plain, "--yes", "--purge")

    assert own.differences(ignore=()) == {}


# --- what was renamed or changed is found by its mark

EDITS = {
    "interface": (("name: office", "name: office\n  interface: wg7"),),
    "network": (("name: office", "name: hq"),),
    "host": (("  home:", "  house:"), ("- home ->", "- house ->")),
    "subnet": (("192.168.2.", "192.168.88."),),
    "address": (("address: 192.168.2.2", "address: 192.168.2.22"), ("address: 192.168.88.2", "address: 192.168.88.22")),
    "mapped LAN": (
        (LAN, "subnets: [{lan: 10.10.13.0/24, as: 10.77.13.0/24}]"),
        ("-> 10.10.13.61", "-> 10.77.13.61"),
    ),
    "exit": (("    ssh: root@192.168.0.9\n", "    ssh: root@192.168.0.9\n    exit: bcc\n"),),
    "port": ((":38371", ":38399"),),
    "single address": (("    ssh: root@192.168.0.9\n", "    ssh: root@192.168.0.9\n    single_address: true\n"),),
}
PAIRS = [(edit,) for edit in EDITS] + list(combinations(EDITS, 2))


def edited(edits: tuple[str, ...]) -> str:
    text = REFERENCE
    for edit in edits:
        assert any(old in text for old, _ in EDITS[edit]), edit
        for old, new in EDITS[edit]:
            text = text.replace(old, new)
    return text


@pytest.mark.parametrize("edits", draw(PAIRS, 4, salt="pairs"), ids=" and ".join)
@pytest.mark.parametrize("promote", draw(["0", "1"], 1, salt="promote"))
def test_a_changed_network_converges_or_says_what_to_do_and_goes_whole(
    own: Lab, edits: tuple[str, ...], promote: str
) -> None:
    chance = Random(f"{SEED}{edits}")
    for host in HOSTS:
        own.world.sh(
            host, f"for c in all default; do echo {promote} >/proc/sys/net/ipv4/conf/$c/promote_secondaries; done"
        )
    old, new = own.inventory(REFERENCE, "old.yaml"), own.inventory(edited(edits), "new.yaml")
    own.up(old)
    if {"interface", "network"} & set(edits):
        refused = own.wgorch("up", new, "--yes", code=4).stderr
        assert "wgorch teardown" in refused
        assert "in use" not in refused
        by_name = ("--network", "office")
        by_host = [word for target in ("root@203.0.113.13", "root@192.168.0.9") for word in ("--host", target)]
        again = chance.choice([by_name, (old,), "host"])
        if again == "host":
            own.wgorch("teardown", *by_host, "--yes")
            again = by_name
        own.wgorch("teardown", *again, "--yes", "--purge")
        assert own.differences(ignore=("promote_secondaries",)) == {}
    own.up(new)
    assert "No changes." in own.wgorch("plan", new).stdout
    name = "hq" if "network" in edits else "office"
    own.wgorch("teardown", *chance.choice([("--network", name), (new,)]), "--yes", "--purge")

    assert own.differences(ignore=("promote_secondaries",)) == {}


RENAMED = EDITS["interface"][0]


@pytest.fixture
def renamed(network: Lab) -> Iterator[Lab]:
    yield network
    network.wgorch("teardown", INVENTORY, "--yes", "--purge", code=None)


def test_a_renamed_interface_is_refused_in_the_right_words(renamed: Lab) -> None:
    for verb in ("plan", "up"):
        refused = renamed.wgorch(verb, renamed.edited(RENAMED), code=4).stderr
        for host in HOSTS:
            assert f"{host}: cannot use interface wg7: network office runs as wg0 there" in refused
        assert "in use" not in refused
        assert "overlaps" not in refused


def test_teardown_finds_a_renamed_interface(renamed: Lab) -> None:
    done = renamed.wgorch("teardown", renamed.edited(RENAMED), "--yes", "--purge")

    assert "wg0" in done.stdout
    assert renamed.differences(ignore=()) == {}


def test_a_renamed_network_is_named_with_its_remedy(network: Lab) -> None:
    hq = network.edited(*EDITS["network"])
    refused = network.wgorch("plan", hq, code=4).stderr
    for host in HOSTS:
        assert f"{host}: cannot set up network hq: network office of wgorch runs as wg0 there" in refused
    found = network.wgorch("teardown", hq, "--yes").stdout
    assert "No wgorch resources found." in found
    assert "home: has network office of wgorch (wgorch teardown --network office)" in found
    assert "both an inventory" in network.wgorch("teardown", hq, "--network", "office", "--yes", code=3).stderr
    assert "no network nowhere" in network.wgorch("teardown", "--network", "nowhere", "--yes", code=3).stderr
