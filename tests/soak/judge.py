"""Judge hosts by readings of their own: ip, wg, nft, files. Nothing here uses the program's code but the world."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.soak.wish import ROLES, Wish
from wgorch.rehearsal.reference import ReferenceWorld

PEERS = {"bcc": 2, "home": 1, "company": 1}

STATE = r"""
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
for p in /sys/class/net/*; do printf '%s %s %s\n' "${p##*/}" "$(cat $p/mtu)" "$(cat $p/ifalias)"; done
ip -o -4 address show | sed 's/^[0-9]*: //' | sort
ip -4 route show table all | sort
ip rule show; ip -6 rule show
(cd /proc/sys/net/ipv4/conf && grep . */forwarding */send_redirects */rp_filter */src_valid_mark)
nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//; s/ # handle.*//'
cat /etc/resolv.conf
ls -d /etc/systemd/system/wgorch* /etc/systemd/system/*/wgorch* /etc/cron.d/wgorch* /etc/NetworkManager/conf.d/wgorch* \
    /etc/systemd/network/*wgorch* 2>/dev/null
find /var/lib/wgorch 2>/dev/null | sort
:
"""
"""sh that prints everything that a network of wgorch can leave behind."""

OPEN = [
    "do",
    "undo",
    "undo.log",
    "probe",
    "before",
    "after",
    "running",
    "boot.before",
    "lease",
    "watching",
    "lock",
    "pending",
    "reverting",
    "reverter",
]


def state(world: ReferenceWorld, role: str) -> list[str]:
    """A host's state as lines."""
    return world.run(role, "/bin/bash", "-c", STATE, check=False).stdout.split("\n")


def baseline_faults(world: ReferenceWorld, before: dict[str, list[str]]) -> Iterator[str]:
    """What of hosts is not as before."""
    for role in ROLES:
        now = state(world, role)
        if now != before[role]:
            gone = [line for line in before[role] if line not in now]
            new = [line for line in now if line not in before[role]]
            yield f"{role} is not as before: gone {gone[:12]}, new {new[:12]}"


def network_faults(world: ReferenceWorld, wishes: list[Wish]) -> Iterator[str]:
    """What of the networks that are up is not as wished."""
    for role in sorted(ROLES, key=lambda role: PEERS[role]):  # spokes first: a relay that was restarted waits for them
        marks = {}
        for link in json.loads(world.run(role, "ip", "-j", "link").stdout):
            if str(link.get("ifalias", "")).startswith("wgorch:"):
                marks[link["ifname"]] = link["ifalias"]
        wanted = {wish.interface: f"wgorch:{wish.name}" for wish in wishes}
        if marks != wanted:
            yield f"{role} has interfaces {marks}, not {wanted}"
            continue
        for wish in wishes:
            yield from _interface_faults(world, role, wish)
        left = world.sh(role, "ls /var/lib/wgorch/*/ 2>/dev/null; :").split()
        if still := sorted(set(left) & set(OPEN)):
            yield f"{role}: left of a change: {still}"
        names = world.sh(role, "cd /var/lib/wgorch && ls -d */boot; :").split()
        if sorted(names) != sorted(f"{wish.name}/boot" for wish in wishes):
            yield f"{role}: start-up scripts {names}"
        modes = world.sh(role, "find /var/lib/wgorch \\( -perm /077 -o ! -user root \\) ! -name resolv.before").split()
        if modes:
            yield f"{role}: open to others: {modes}"


def _interface_faults(world: ReferenceWorld, role: str, wish: Wish) -> Iterator[str]:
    shown = json.loads(world.run(role, "ip", "-j", "-4", "address", "show", "dev", wish.interface).stdout)
    addresses = [f"{a['local']}/{a['prefixlen']}" for a in shown[0]["addr_info"]] if shown else []
    own = f"{wish.address(role)}/{wish.prefix(role)}"
    if addresses != [own]:
        yield f"{role}: {wish.interface} has {addresses}, not {own}"
    peers = world.run(role, "wg", "show", wish.interface, "peers").stdout.split()
    if len(peers) != PEERS[role]:
        yield f"{role}: {wish.interface} has {len(peers)} peers"
    for other in ROLES:
        if other != role and not _reaches(world, role, wish.address(other)):
            yield f"{role}: no ping to {other} ({wish.address(other)})"
    if role == "home":
        if not _reaches(world, role, wish.target):
            yield f"home: no ping to target ({wish.target})"
        for kind in ("tcp", "udp"):
            if bool(world.ask("home", kind, wish.target)) is (wish.policy == "closed"):
                yield f"home: {kind} to target ({wish.target}) is {'' if wish.policy == 'closed' else 'not '}answered"


def _reaches(world: ReferenceWorld, role: str, address: str) -> bool:
    """True if a ping is answered within half a minute: a network beside the one that changed may begin new sessions."""
    return any(world.ping(role, address, count=5, wait=2) for _ in range(10))


def secret_faults(world: ReferenceWorld, controller_state: str) -> Iterator[str]:
    """Private keys of hosts that lie on the controller."""
    for role in ROLES:
        for key in world.sh(role, "cat /var/lib/wgorch/*/private_key 2>/dev/null; :").split():
            if world.run("controller", "grep", "-rqF", "--", key, controller_state, check=False).returncode == 0:
                yield f"the private key of {role} lies in {controller_state}"
