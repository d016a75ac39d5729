"""Export a run's network as configuration files for other tools."""

from __future__ import annotations

from dataclasses import replace

from wgorch.base import wgkey
from wgorch.errors import UsageError
from wgorch.interop import export as files
from wgorch.interop import yaml
from wgorch.interop.formats import OWN, WITHOUT_EXIT, Exporter, exporter
from wgorch.interop.formats.site import site_of
from wgorch.inventory.fields.suggest import choice, suggest
from wgorch.outcome import Export
from wgorch.plan.preshared import secrets_of
from wgorch.run import Run
from wgorch.topology.topology import build

FORMS = ("wg-quick", "peers", "compose", "hosts")
"""Formats that are not a router's or a network manager's."""


def export(run: Run, what: str | None, form: str) -> Export:
    """Export a device or a host, or every host if `what` is None; `form`: a name of FORMS, or of an exporter's.

    A device without a public key gets a new pair; its private key is in the text and nowhere else. Raises UsageError.
    """
    inventory, network = run.inventory, run.network.name
    if what is not None and what not in inventory.members:
        meant = suggest(what, inventory.members)
        raise UsageError(f'no device or host "{what}" in {inventory.path}.{meant}', choice(inventory.members))
    other = None if form in FORMS else exporter(form)
    if form in WITHOUT_EXIT and what and what in inventory.devices and inventory.devices[what].exit:
        problem = f"{what} has an exit node, and {form} would send WireGuard's own packets into the tunnel, too"
        raise UsageError(
            problem, f"leave out exit, or use one of: wg-quick, {', '.join(sorted({*OWN} - WITHOUT_EXIT))}"
        )
    if (other or form == "compose") and (what is None or what not in inventory.devices):
        raise UsageError(
            f"the format {form} is for a device; wgorch up sets up the hosts", "name a device of the inventory"
        )
    if form == "compose" and what:
        return Export({"docker-compose.yaml": files.compose(what, network)})
    run.gather(inventory.hosts)
    missing = [name for name in inventory.hosts if name not in run.keys and name not in run.absent]
    notes = [f"missing keys: {', '.join(missing)}; wgorch up generates them"] if missing else []
    notes += (f"absent, not asked: {name}: {error.problem}" for name, error in run.absent.items())
    if form == "hosts":
        return Export({"hosts": files.hosts_file(run.inventory.members, network)})
    if form == "peers":
        unknown = [name for name in inventory.hosts if name not in run.all_keys]
        notes += _to_fill_in("peers.conf", unknown)
        return Export({"peers.conf": files.shared_peers(run.topology, run.all_keys)}, tuple(notes))
    if what is not None and what in inventory.devices:
        return _device(run, what, other or exporter("wg-quick"))
    if what:
        run.require(what)
    texts, more = _hosts(run, [what] if what else [n for n in inventory.hosts if n not in run.absent])
    return Export(texts, (*notes, *more))


def _hosts(run: Run, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """The files of hosts, and notes on the keys that they lack."""
    topology, mtu, held = run.topology, run.mtu, run.keys_of_absent
    texts, notes = {}, []
    for name in names:
        # Of an absent peer only the key that the host itself knows.
        keys = run.keys | {peer: key for peer, key in held[name].items() if key}
        secrets = secrets_of(topology, run.seen, name)
        texts[f"{name}.conf"] = files.wg_quick(topology, name, run.seen[name], keys, secrets, mtu)
        notes += _to_fill_in(f"{name}.conf", [peer for peer in topology.peers(name) if peer not in keys])
    return texts, notes


def _to_fill_in(file: str, peers: list[str]) -> list[str]:
    """A note on placeholders in a file."""
    places = ", ".join(f"<{peer}>" for peer in peers)
    return [f"{file}: not complete: replace {places} by the public key of that host"] if peers else []


def _device(run: Run, name: str, write: Exporter) -> Export:
    device = run.inventory.devices[name]
    if device.public_key is None:
        private, public = wgkey.new_pair()
        fields = {"public_key": public}
        fields |= {} if device.given else {"address": yaml.one_or_more(device.addresses)}
        notes = [
            f"generated a new key pair for {name}; the private key is only in this file, and each export without a",
            f"public_key makes another. To admit the device (or let --write do it), add under devices.{name} of",
            f"{run.inventory.path}, and run wgorch up:",
            *(f"    {key}: {text}" for key, text in fields.items()),
        ]
        devices = {**run.inventory.devices, name: replace(device, public_key=public)}
        run.topology = build(replace(run.inventory, devices=devices), versions=run.topology.versions)
    else:
        private, fields = None, {}
        notes = [f"{name} has its own key pair: fill in the private key on the device"]
    missing = [peer for peer in run.topology.peers(name) if peer not in run.keys]
    if missing:
        away = [peer for peer in missing if peer in run.absent]
        hint = f"try again when {' and '.join(away)} can be reached" if away else "run wgorch up first"
        raise UsageError(f"missing keys: {', '.join(missing)}", hint)
    kept = {
        peer
        for peer in run.topology.peers(name)
        if peer in run.seen and name in secrets_of(run.topology, run.seen, peer)
    }
    if kept:
        notes.append(f"{' and '.join(sorted(kept))} kept the preshared key of {name}: fill it in, too")
    site = site_of(run.topology, name, run.keys, private, kept)
    return Export(write(site), tuple(notes), private is not None, fields)
