"""Render the inventory reference for the docs."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.schema import DEVICE, HOST, NETWORK, SSH, TOP, Entry

INTRODUCTION = (
    "The inventory is a YAML file that describes the network. This page is generated from the table that also validates"
    " the file (`wgorch/inventory/schema.py`)."
)

TABLES = {
    "network": NETWORK,
    "hosts.NAME": HOST,
    "devices.NAME": DEVICE,
    "hosts.NAME.ssh, as a mapping": SSH,
}
"""Fields by the title of their section."""

EFFECTS = """\
- Two hosts are peers if at least one of them has an `endpoint`. Hosts without one reach each other through the first
  `relay`; `links:` may give a host another relay, or separate two hosts that could be peers.
- The allowed-ips of a peer are its tunnel address and the `subnets` behind it; those of a relay also hold everything
  beyond it.
- Every other host gets a route into the tunnel for each of `subnets`. The gateway forwards, and masquerades tunnel
  traffic into the LAN unless `masquerade: false`.
- `ssh: local` is the machine that runs wgorch. `via` names a jump host: an address, an alias of `~/.ssh/config`, or
  another host of this file; a list makes a chain."""


def markdown() -> str:
    """Return docs/inventory.md."""
    parts = ["# Inventory reference", INTRODUCTION, "\n".join(_sections())]
    for title, entries in TABLES.items():
        parts += [f"## {title}", "\n".join(_table(entries))]
    parts += ["## Effects on the network", EFFECTS]
    return "\n\n".join(parts) + "\n"


def _sections() -> Iterator[str]:
    yield "| section | content |"
    yield "| --- | --- |"
    for name, doc in TOP.items():
        yield f"| `{name}` | {_cell(doc)} |"


def _table(entries: dict[str, Entry]) -> Iterator[str]:
    yield "| field | meaning | value | example |"
    yield "| --- | --- | --- | --- |"
    for name, entry in entries.items():
        required = " Required." if entry.required else ""
        example = f"`{entry.example}`" if entry.example else ""
        yield f"| `{name}` | {_cell(entry.doc)}{required} | {_cell(entry.reader.kind)} | {example} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
