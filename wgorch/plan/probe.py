"""Render the probe: a script that prints what of the network runs on a host, before a change and after its rollback."""

from __future__ import annotations

from wgorch.base.sh import EMPTY, Sh, comment, quote, sh, sh_lines
from wgorch.host.programs import uploaded
from wgorch.state.state import State
from wgorch.steps import nouns


def probe_script(want: State, have: State) -> Sh:
    """A script that prints what runs of either State, without anything that moves by itself."""
    lines = [
        sh("#!/bin/sh"),
        comment(f"{want.mark}: prints what of the network runs here; compared before a change and after its rollback"),
        sh("probed_network={network}", network=quote(want.network)),
        uploaded("probe.sh"),
    ]
    for interface in map(quote, sorted({*want.interfaces, *have.interfaces})):
        lines.append(sh("if [ -d /sys/class/net/{interface} ]; then", interface=interface))
        probes = (noun.probe_interface for noun in nouns().values() if noun.probe_interface)
        lines += [sh("    {line}", line=line) for probe in probes for line in probe(interface)]
        lines.append(sh("fi 2>/dev/null"))
    lines += [line for noun in nouns().values() if noun.probe for line in noun.probe(want, have)]
    return sh_lines([*lines, sh(":"), EMPTY])
