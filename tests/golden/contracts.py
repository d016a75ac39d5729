"""What other versions of wgorch, and programs of users, rely on; written down in this folder, by contract.

``python -m tests.golden.contracts`` adds what is new. It refuses to take something away under the same number.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.host.rendered import host_plan
from wgorch import errors
from wgorch.facts.files import FORMAT
from wgorch.inventory import schema
from wgorch.report.as_json import VERSION

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def on_hosts() -> set[str]:
    """Files below /var/lib/wgorch/NETWORK, header lines of the boot script, and the referee's verbs."""
    referee = (ROOT / "wgorch" / "host" / "referee.sh").read_text()
    boot = "\n".join(host_plan().boot.text.split("\n")[:40])
    documented = re.findall(r"^# ([a-z][a-z, ]+?)  +[a-z]", referee, re.M)
    files = [name for names in documented for name in names.split(", ")]
    return {
        *(f"file {name}" for name in [*files, "pending", "boot", "recorded", "journal", "outcome", "private_key"]),
        *(f"header {key}" for key in re.findall(r"^#: ([a-z-]+) ", boot, re.M)),
        *(f"verb {verb}" for verb in re.findall(r"^    ([a-z-]+)\) [a-z_]+", referee, re.M)),
    }


def json_keys() -> set[str]:
    """Keys of the JSON output, by section of docs/json.md, which tests hold complete."""
    found = set()
    for section in re.split(r"^## ", (ROOT / "docs" / "json.md").read_text(), flags=re.M)[1:]:
        title = section.split("\n")[0]
        if not title.startswith("Version"):
            found |= {f"{title}: {key}" for key in re.findall(r"^\| `([a-z_]+)`", section, re.M)}
    return found


def exit_codes() -> set[str]:
    """Exit codes by the names that the program has for them."""
    return {f"{name} {value}" for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}


def inventory_fields() -> set[str]:
    """Fields of an inventory; one that is required counts as another."""
    sections = {"network": schema.NETWORK, "host": schema.HOST, "device": schema.DEVICE, "ssh": schema.SSH}
    fields = {
        f"{section}.{field}{' (required)' if entry.required else ''}"
        for section, entries in sections.items()
        for field, entry in entries.items()
    }
    return fields | {f"top {name}" for name in schema.TOP}


CONTRACTS: dict[str, tuple[str, Callable[[], set[str]]]] = {
    "hosts": (f"format {FORMAT}", on_hosts),
    "json": (f"version {VERSION}", json_keys),
    "exit-codes": ("version 1", exit_codes),
    "inventory": ("version 1", inventory_fields),
}
"""Name of the file, number of the contract, and what is in it now."""


def recorded(name: str) -> tuple[str, set[str]]:
    """The number and the lines of a contract as they are written down."""
    path = HERE / f"{name}.txt"
    if not path.is_file():
        return "", set()
    number, *lines = path.read_text().strip().split("\n")
    return number, set(lines)


def main() -> int:
    """Write what is new."""
    for name, (number, now) in CONTRACTS.items():
        old_number, old = recorded(name)
        if number == old_number and (gone := old - now()):
            sys.stderr.write(f"{name}: {number} loses {', '.join(sorted(gone))}: give it another number\n")
            return 1
        (HERE / f"{name}.txt").write_text("\n".join([number, *sorted(now())]) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
