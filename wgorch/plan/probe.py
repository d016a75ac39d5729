"""Render the probe: a script that prints what of the network runs on a host, before a change and after its rollback."""

from __future__ import annotations

from wgorch.base.sh import EMPTY, Sh, comment, quote, sh, sh_lines
from wgorch.state.state import State
from wgorch.steps import nouns


def probe_script(want: State, have: State) -> Sh:
    """A script that prints what runs of either State, without anything that moves by itself."""
    lines = [
        sh("#!/bin/sh"),
        comment(f"{want.mark}: prints what of the network runs here; compared before a change and after its rollback"),
        sh(
            """\
show() {{ # COMMAND...: what a failed one prints equals no other output
    "$@" 2>/dev/null || fail "$*"
}}

fail() {{ # WHAT
    : >unreadable
    read -r now _ </proc/uptime
    printf 'unreadable %s %s\\n' "$now" "$1"
}}

show_file() {{ # PATH, of a file with one line that may be absent
    [ -e "$1" ] || return 0
    line=
    read -r line <"$1"
    [ -n "$line" ] && printf '%s\\n' "$line" || fail "$1"
}}

show6() {{ # COMMAND...: the same where the kernel has IPv6
    [ ! -d /proc/sys/net/ipv6 ] || show "$@"
}}

managed_rules() {{ # RULES: names of tables, and lines that name a managed chain
    set -f
    IFS='
'
    for line in $1; do case $line in '*'* | 'unreadable '* | *wgorch-{network}-*) printf '%s\\n' "$line" ;; esac; done
    unset IFS
    set +f
}}""",
            network=quote(want.network),
        ),
    ]
    for interface in map(quote, sorted({*want.interfaces, *have.interfaces})):
        lines.append(sh("if [ -d /sys/class/net/{interface} ]; then", interface=interface))
        probes = (noun.probe_interface for noun in nouns().values() if noun.probe_interface)
        lines += [sh("    {line}", line=line) for probe in probes for line in probe(interface)]
        lines.append(sh("fi 2>/dev/null"))
    lines += [line for noun in nouns().values() if noun.probe for line in noun.probe(want, have)]
    return sh_lines([*lines, sh(":"), EMPTY])
