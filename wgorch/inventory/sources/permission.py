"""What a person's own configuration lets the inventories of a folder use of this machine.

An inventory may come from a pull request: it runs no program, sends no token and reads no file outside of its folder
because it says so, only because ``~/.config/wgorch/sources.yaml`` or ``--run-sources`` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from wgorch.base.directories import config_directory
from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory import nodes
from wgorch.inventory.problems import Problems
from wgorch.inventory.reader import MAX_BYTES, read
from wgorch.inventory.sources.token import Token, read_token

FILE = "~/.config/wgorch/sources.yaml"
"""The configuration as people write its name."""

EXAMPLE = "/home/anna/networks: {commands: [[terraform, output, -json, wgorch]]}"

KEYS = ("commands", "paths", "netbox")


class Permission(NamedTuple):
    """What the inventory of one folder may use."""

    folder: Path
    """The inventory's, without symbolic links; what lies in it is always allowed to be read."""
    everything: bool = False
    """True with --run-sources."""
    commands: frozenset[tuple[str, ...]] = frozenset()
    """Programs with their arguments."""
    paths: tuple[Path, ...] = ()
    """Files, and folders with all in them."""
    origins: Mapping[str, Token | None] = {}
    """Where a token may be sent, and which."""

    def allows_path(self, path: Path) -> bool:
        """Whether a file may be read, or used as a key file."""
        try:
            real = path.resolve()
        except (OSError, RuntimeError):
            return False
        return self.everything or any(real.is_relative_to(place) for place in (self.folder, *self.paths))

    def allows_command(self, argv: tuple[str, ...]) -> bool:
        """Whether a program may be run with exactly these arguments."""
        return self.everything or argv in self.commands

    def fix(self, entry: str) -> str:
        """The remedy where something is not allowed; `entry`: the line that allows it."""
        return f"if you trust this inventory: --run-sources, or in {FILE}: {self.folder}: {{{entry}}}"


def permission_of(folder: Path, *, everything: bool) -> Permission:
    """What the inventory of a folder may use. Raises InventoryError for a configuration that cannot be read."""
    try:
        folder = folder.resolve()
    except (OSError, RuntimeError):
        folder = Path("/nonexistent")
    path = config_directory() / "sources.yaml"
    problems = Problems(str(path))
    found = Permission(folder, everything)
    if (root := _root(path, problems)) is not None:
        for key, node in root.items:
            try:
                place = Path(key.text).expanduser()
                applies = place.is_absolute() and folder.is_relative_to(place.resolve())
            except (OSError, RuntimeError, ValueError):
                applies = False
            if not key.text.startswith(("/", "~")):
                problems.add(key, key.text, "expected the folder of inventories, as an absolute path", EXAMPLE)
            elif isinstance(node, nodes.Mapping):
                its = _entry(found, node, key.text, problems)
                found = its if applies else found
            else:
                problems.add(node, key.text, "expected a mapping", EXAMPLE)
    if problems.errors:
        raise InventoryError(problems.lines())
    return found


def _root(path: Path, problems: Problems) -> nodes.Mapping | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        problems.add(None, "", f"cannot read it: {why}", "a file of UTF-8 text that you can read")
        return None
    if status.st_uid not in (os.getuid(), 0) or status.st_mode & 0o022:
        problems.add(None, "", "others may write it", f"chown it to yourself, and: chmod go-w {path}")
        return None
    root = read(text, problems)
    problems.text = ""  # no line of it is shown: it may hold a token
    if root is not None and not isinstance(root, nodes.Mapping):
        problems.add(root, "", "expected a mapping of folders", EXAMPLE)
    return root if isinstance(root, nodes.Mapping) else None


def _entry(before: Permission, node: nodes.Mapping, path: str, problems: Problems) -> Permission:
    """What an entry adds to what the ones before it allow."""
    f.check_keys(node, KEYS, path, problems)
    commands, paths, origins = set(before.commands), list(before.paths), dict(before.origins)
    for item in _list(node.get("commands"), f"{path}.commands", problems):
        if (argv := words(item)) is None:
            problems.add(item, f"{path}.commands", "expected a list of words", "[[terraform, output, -json, wgorch]]")
        else:
            commands.add(argv)
    for item in _list(node.get("paths"), f"{path}.paths", problems):
        text = f.PATH.read(item, f"{path}.paths", problems)
        if text and text.startswith(("/", "~")):
            try:
                paths.append(Path(text).expanduser().resolve())
            except (OSError, RuntimeError, ValueError):
                problems.add(item, f"{path}.paths", "is no path", "/etc/ansible")
        elif text:
            problems.add(item, f"{path}.paths", "expected an absolute path", "/etc/ansible")
    netbox = node.get("netbox")
    if isinstance(netbox, nodes.Mapping):
        for key, value in netbox.items:
            where = f"{path}.netbox.{key.text}"
            if (origin := origin_of(key.text)) is None or origin != key.text.rstrip("/"):
                problems.add(key, where, "expected the start of a URL alone", "https://netbox.example")
            else:
                origins[origin] = None if nodes.is_empty(value) else read_token(value, where, problems)
    elif netbox is not None:
        problems.add(netbox, f"{path}.netbox", "expected a mapping", "{https://netbox.example: {env: NETBOX_TOKEN}}")
    return before._replace(commands=frozenset(commands), paths=tuple(paths), origins=origins)


def _list(node: nodes.Node | None, path: str, problems: Problems) -> Iterable[nodes.Node]:
    if node is None or isinstance(node, nodes.Sequence):
        return node.items if node else ()
    problems.add(node, path, "expected a list", "write [value, value]")
    return ()


def words(node: nodes.Node | None) -> tuple[str, ...] | None:
    """A list of words; None where a node is none."""
    items = node.items if isinstance(node, nodes.Sequence) else []
    texts = [item.text for item in items if isinstance(item, nodes.Scalar)]
    good = texts and len(texts) == len(items) and texts[0] and not any("\0" in text for text in texts)
    return tuple(texts) if good else None


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a URL, as they are compared; None where it is no URL of the web."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return None
    usual = port in (None, 443 if parts.scheme == "https" else 80)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + ("" if usual else f":{port}")
