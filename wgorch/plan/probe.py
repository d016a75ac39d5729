"""Render the probe: a script that prints what of the network runs on a host, before a change and after its rollback."""

from __future__ import annotations

from wgorch.state.change import quote_words
from wgorch.state.state import State
from wgorch.steps import nouns


def probe_script(want: State, have: State) -> str:
    """A script that prints what runs of either State, without anything that moves by itself."""
    lines = [
        "#!/bin/sh",
        f"# {want.mark}: prints what of the network runs here; compared before a change and after its rollback",
        f"managed_rules() {{ # RULES: names of tables, and lines that name a managed chain\n{_MANAGED.format(network=want.network)}}}",
    ]
    for interface in map(quote_words, [[name] for name in sorted({*want.interfaces, *have.interfaces})]):
        lines.append(f"if [ -d /sys/class/net/{interface} ]; then")
        probes = (noun.probe_interface for noun in nouns().values() if noun.probe_interface)
        lines += [f"    {line}" for probe in probes for line in probe(interface)]
        lines.append("fi 2>/dev/null")
    lines += [line for noun in nouns().values() if noun.probe for line in noun.probe(want, have)]
    return "\n".join([*lines, ":", ""])


_MANAGED = """\
    set -f
    IFS='
'
    for line in $1; do case $line in '*'* | *wgorch-{network}-*) printf '%s\\n' "$line" ;; esac; done
    unset IFS
    set +f
"""
