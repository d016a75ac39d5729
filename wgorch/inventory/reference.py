"""Render the inventory reference for the docs."""

from __future__ import annotations

from wgorch.inventory.schema import DEVICE, HOST, NETWORK, SSH, TOP


def markdown() -> str:
    """The inventory's reference, for docs/inventory.md."""
    parts = [
        "# The inventory",
        "One YAML file says what network is wanted. This page is made from the table that also validates it"
        " (`wgorch/inventory/schema.py`).",
        "At the top: " + "; ".join(f"`{name}`: {doc[0].lower()}{doc[1:]}" for name, doc in TOP.items()),
    ]
    for title, entries in (
        ("network", NETWORK),
        ("hosts.NAME", HOST),
        ("devices.NAME", DEVICE),
        ("hosts.NAME.ssh, as a mapping", SSH),
    ):
        rows = ["| field | meaning | takes | example |", "| --- | --- | --- | --- |"]
        for name, entry in entries.items():
            reader = entry.reader
            takes = reader.kind.replace("|", "\\|")
            must = " (must be given)" if entry.required else ""
            example = f"`{entry.example}`" if entry.example else ""
            rows.append(f"| `{name}` | {entry.doc.replace('|', chr(92) + '|')}{must} | {takes} | {example} |")
        parts += [f"## {title}", "\n".join(rows)]
    parts += [
        "## How it becomes a network",
        "- Two hosts are peers where at least one of them has an `endpoint`. Hosts without one meet at the first `relay`;\n"
        "  `links:` may give one another relay, or part two that could be peers.\n"
        "- A peer's allowed-ips are its address and the `subnets` behind it; a relay's also all that lies beyond it.\n"
        "- Every other host gets a route into the tunnel for each of `subnets`; the gateway forwards and, unless\n"
        "  `masquerade: false`, lets tunnel traffic enter the LAN under its own address.\n"
        "- `ssh: local` is the machine wgorch runs on. `via` names a jump host: an address, an alias of `~/.ssh/config`, or\n"
        "  another host of this file; several make a chain.",
    ]
    return "\n\n".join(parts) + "\n"
