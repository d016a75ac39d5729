"""Render the inventory reference for the docs."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.schema import APPROVE, DEVICE, FROM, GROUP, HOST, NETWORK, SSH, TOP, Entry

INTRODUCTION = (
    "The inventory is a YAML file that describes the network. This page is generated from the table that also validates"
    " the file (`wgorch/inventory/schema.py`)."
)

TABLES = {
    "network": NETWORK,
    "hosts.NAME": HOST,
    "devices.NAME": DEVICE,
    "hosts.NAME.ssh, as a mapping": SSH,
    "approve": APPROVE,
    "from, each source": FROM,
    "groups.NAME, as a mapping": {"members": GROUP["members"], "ssh": GROUP["ssh"]},
}
"""Fields by the title of their section."""

COMMON = """\
A value of a host wins over those of its groups, and these win over `defaults`. A group and `defaults` take every field of a
host but `address`, `endpoint` and `host_key`, and of its SSH target every one but `host`. Two groups that give a host
different values are an error. `wgorch check --show HOST` prints what a host has, and where each value comes from. `--limit`
takes groups, too.

A name with a range stands for several hosts, in whose fields `{n}` is their number. A list in brackets needs quotes then, as
`{` begins a mapping in YAML:

    hosts:
      branch-[01-30]:                  # branch-01 … branch-30
        ssh: root@198.51.100.{n}       # {n}: 1 … 30
        address: 10.99.0.{n}
        subnets: ["10.10.{n}.0/24"]
    groups:
      branches: ["branch-[01-30]"]
      north: {members: [oslo, branch-07], mtu: 1400, ssh: {user: admin, via: gate.example}}

`include: [sites/*.yaml]` reads more files as part of the inventory: sections of the same kind are joined, a name may stand
once, and their order does not matter. Every message names the file to edit. Files outside of the inventory's folder are
refused, also behind a symbolic link, and an included file includes no other."""

SOURCES = """\
`from:` reads members that another tool knows, each time the inventory is loaded:

    from:
      - command: [terraform, output, -json, wgorch]
      - {ansible: hosts.ini, group: gateways}
      - {netbox: https://netbox.example, tag: wgorch}

A **command** prints one JSON object with some of `hosts`, `devices`, `groups`, `links` and `verify`, each as in this file, and
`"version": 1` if it likes. Any script can be a source:

    {"hosts": {"gw": {"ssh": {"host": "198.51.100.7", "user": "root"}, "subnets": ["10.1.0.0/24"]}}}

An **Ansible** inventory is read with its groups, ranges, `group_vars` and `host_vars`, in Ansible's order of precedence. The
login is that of `ansible_host`, `ansible_user`, `ansible_port`, the key file, and `ProxyJump` or `ssh -W` of
`ansible_ssh_common_args`; other fields stand in variables `wgorch_FIELD` (`wgorch_subnets`, `wgorch_endpoint`), another name
in `wgorch_name`. An `ansible.cfg` beside it counts for the login. Templates may be names of variables, `hostvars['NAME'].VARIABLE`, `groups['NAME'][0]`, and `default(VALUE)`
behind those; what ssh options or templates say beyond that is an error. Scripts and plugins of Ansible are not run. Groups of Ansible are groups here, with `-` for other characters.

From **NetBox** come the devices with the tag, by their primary address, and as LANs the prefixes of their site with the same
tag, but containers. Custom fields `wgorch_FIELD`, or one JSON field `wgorch`, hold the other fields.

- A host that this file has, too, is completed by its source; its own fields win. A name in two sources is an error.
- A source that fails, takes longer than `timeout`, gives nothing, or less than half of what it gave last time on this
  machine is an error, and nothing is changed. Nor does `up` take down more than half of the hosts because sources
  leave them out.
- A plan file holds what the sources gave; `apply` does not ask them again.
- **Commands are run, tokens sent, and files outside of the inventory's folder read only where you allow it**, not the
  inventory: for one run with `--run-sources`, else in `~/.config/wgorch/sources.yaml`, by the inventory's folder:

      /home/anna/networks:
        commands: [[terraform, output, -json, wgorch]]
        paths: [/etc/ansible, ~/.ssh/id_berlin]        # a key file that a source names, too
        netbox: {https://netbox.example: {command: [pass, show, netbox]}}

  A token is sent to its origin (scheme, host and port) only. It comes from `{env: NAME}`, `{file: PATH}` or
  `{command: [WORD, …]}`; a `token:` in the inventory counts with `--run-sources` only."""

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
    parts += ["## Values in common", COMMON]
    parts += ["## Members from elsewhere", SOURCES]
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
