"""`wgorch export`: write the network as files for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, host_argument, inventory_argument, login_options
from wgorch.errors import ABSENT, DONE, UsageError

if TYPE_CHECKING:
    from wgorch.inventory.model import Inventory
    from wgorch.outcome import Export

SUMMARY = "Write the network as files for other tools, or a device as a QR code"
EXAMPLES = ("wgorch export phone --qr", "wgorch export -o configs/")


class ExportOptions(Options):
    """Options of `wgorch export`."""

    what: str | None
    format: str
    qr: bool
    write: bool
    output: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "what", nargs="?", help="device or host to export (default: every host)")
    inventory_argument(parser)
    forms = (
        "target tool: wg-quick (default), peers, compose, hosts; for a device also networkd, networkmanager, netplan, "
        "ifupdown, openwrt, nixos, routeros, vyos, edgeos, opnsense, windows, mobile, or a package's own"
    )
    parser.add_argument("--format", metavar="NAME", default="wg-quick", help=forms)
    parser.add_argument("--qr", action="store_true", help="print the file of a device as a QR code")
    writes = "write the public key of a device that has none yet, and its address, into the inventory"
    parser.add_argument("--write", action="store_true", help=writes)
    output = "output file (.conf, .png, .svg) or directory (default: stdout)"
    parser.add_argument("-o", "--output", metavar="PATH", type=Path, help=output)
    login_options(parser)


def run(options: ExportOptions) -> int:
    """Read the public keys from the hosts and write the files; notes go to stderr."""
    from wgorch.cli.context import open_run
    from wgorch.interop.configs import export
    from wgorch.report import files

    what, inventory = options.what, options.inventory
    if what and inventory is None and Path(what).suffix in (".yaml", ".yml"):
        what, inventory = None, what
    with open_run(options, inventory=inventory, quiet=True) as context:
        exported = export(context.run, what, options.format)
        code = ABSENT if context.run.absent else DONE
        loaded = context.run.inventory
        path, is_device = loaded.path, what in loaded.devices
    as_qr_code = options.qr or bool(options.output and options.output.suffix in (".png", ".svg"))
    if as_qr_code and options.format not in ("wg-quick", "mobile", "windows"):
        raise UsageError("a QR code holds a wg-quick file", "leave out --qr, or --format")
    if as_qr_code and not is_device:
        problem = "only a device has a QR code: the private key of a host never leaves it"
        raise UsageError(problem, "name a device of the inventory, or leave out --qr")
    if as_qr_code and not exported.is_complete:
        problem = "a QR code without the private key works on no device, and the key of this one is only on the device"
        raise UsageError(
            problem, f"export the file without --qr; or delete its public_key in {path} to make a new key pair"
        )
    if options.write:
        _write(options, loaded, what, exported)
    else:
        sys.stderr.writelines(f"{note}\n" for note in exported.notes)
    if options.qr or (options.output and options.output.suffix in (".png", ".svg")):
        files.render_qr_code(exported.only, options.output, sys.stdout)
    elif options.output:
        files.write(exported.texts, options.output)
    else:
        sys.stdout.write("\n".join(exported.texts.values()))
    return code


def _write(options: ExportOptions, inventory: Inventory, device: str | None, exported: Export) -> None:
    """Write the new fields of a device into the inventory. Raises WgorchError."""
    from wgorch.inventory.edit import add_fields
    from wgorch.report.files import edit_inventory

    if not device or not exported.fields:
        raise UsageError("--write has nothing to write", "name a device without a public_key")
    part = inventory.locations.file_of(f"devices.{device}")
    if part and part not in inventory.included:
        pairs = ", ".join(f"{name}: {value}" for name, value in exported.fields.items())
        raise UsageError(f"{device} is of {part}, which is not the inventory's to edit", f"write there: {pairs}")

    def edited(text: str) -> str:
        return add_fields(text, ["devices", device], exported.fields)

    edit_inventory(inventory.path, edited, part=part, run_sources=options.run_sources)
    sys.stderr.write(f"wrote the public key of {device} into {part or inventory.path}; next: wgorch up\n")
