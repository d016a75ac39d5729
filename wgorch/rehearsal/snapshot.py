"""Everything of a machine that a change could leave a trace in, as text that can be compared."""

from __future__ import annotations

import difflib

from wgorch.base.value import value
from wgorch.rehearsal.world import World

_ASK = r"""
export LC_ALL=C
part() { printf '== %s\n' "$1"; }
part links; ip -o link show | sed -e 's/^[0-9]*: //' -e 's/@if[0-9]*//' -e 's/link-netnsid.*//' -e 's/qlen.*\\/\\/' -e 's/ link\/.*//' | sort
part addresses; ip -o address show scope global | sed 's/^[0-9]*: //' | sort
part routes; ip -4 route show table all | sort; ip -6 route show table all | grep -v -e fe80 -e ff00 | sort
part rules; ip rule show; ip -6 rule show
part sysctls; (cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf ipv4/ip_forward 2>/dev/null | grep -v -e stable_secret -e base_reachable | sort)
part nft; nft --stateless list ruleset
part iptables; iptables-save | grep -v '^#' | sed 's/\[[0-9]*:[0-9]*\]/[0:0]/'; ip6tables-save | grep -v '^#' | sed 's/\[[0-9]*:[0-9]*\]/[0:0]/'
part files; for d in /etc /run /var/lib; do find $d -xdev \( -type f -o -type l -o -type d \) 2>/dev/null; done | grep -v -e '^/run/systemd/' -e '^/run/log' \
    -e '^/run/journal' -e '^/run/user' -e '^/etc/mtab' -e '^/run/xtables.lock' -e '^/run/sshd' -e '/var/lib/systemd/timers' -e '^/run/dbus' | sort
part contents; find /etc -xdev -type f -newer /etc/ssh/world_sshd_config 2>/dev/null | sort | xargs -r cksum
part processes; ps -eo args= | grep -v -e '^\[' -e '^ps ' -e '^sort' -e '^sshd: ' -e 'sftp' -e '^sh -c' -e '^sed ' -e '^grep ' -e '^sleep ' -e '^-\?/bin/sh$' -e '^/bin/sh -c' -e '^sh -c' -e '^sudo' -e 'systemd' | sort
"""


@value
class Snapshot:
    """One machine at one moment."""

    machine: str
    text: str

    def difference(self, later: Snapshot, *, ignore: tuple[str, ...] = ()) -> list[str]:
        """The lines that differ, ``-`` gone and ``+`` new, without those that hold a word of `ignore`."""
        lines = difflib.unified_diff(self.text.split("\n"), later.text.split("\n"), lineterm="", n=0)
        changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return [line for line in changed if not any(word in line for word in ignore)]


def snapshot(world: World, machine: str) -> Snapshot:
    """Take one."""
    return Snapshot(machine, world.sh(machine, _ASK, check=False))


KEYS_STAY = ("/var/lib/wgorch",)
"""What may differ after teardown without --purge: the directory that holds the private key."""
