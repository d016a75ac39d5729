"""Write exports, captures, maps and QR codes to files that only their owner can read, whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TextIO

from wgorch.base.extras import optional
from wgorch.errors import InventoryError, UsageError
from wgorch.inventory.load import load, loads


def write(texts: Mapping[str, str], output: Path) -> None:
    """Write texts into a directory, or a single one into a file. Raises UsageError."""
    into_directory = output.is_dir() or len(texts) > 1 or not output.suffix
    if into_directory:
        make_directory(output)
    for name, text in texts.items():
        write_text(text, output / name if into_directory else output)


def write_text(text: str, path: Path, mode: int = 0o600) -> None:
    """Write one text into a file. Raises UsageError."""
    write_bytes(text.encode(), path, mode)


def edit_inventory(path: str, edit: Callable[[str], str], *, part: str = "", run_sources: bool = False) -> None:
    """Edit an inventory, or `part`: a file that it includes, if it stays valid. Mode and line ends stay. Raises WgorchError.

    `run_sources` as of `load`.
    """
    real = Path(part or path).resolve()
    try:
        before, mode = real.read_bytes(), real.stat().st_mode & 0o7777
        text = before.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {part or path}: {error}", "edit it by hand") from None
    dos, ends = text.count("\r\n"), text.count("\n")
    crlf = 0 < dos == ends
    edited = edit(text.replace("\r\n", "\n") if crlf else text)
    after = (edited.replace("\n", "\r\n") if crlf else edited).encode()
    if not part:
        loads(edited, path, is_file=True, run_sources=run_sources)
    write_bytes(after, real, mode)
    if part:
        _keep_valid(path, real, before, mode, run_sources=run_sources)


def _keep_valid(path: str, part: Path, before: bytes, mode: int, *, run_sources: bool) -> None:
    """Put an included file back where the inventory does not load with it. Raises InventoryError."""
    try:
        load(path, run_sources=run_sources)
    except InventoryError:
        write_bytes(before, part, mode)
        raise


def write_packets(captures: Mapping[str, bytes], directory: Path) -> None:
    """Write the capture of each host as a pcap file. Raises UsageError."""
    make_directory(directory)
    for name, packets in captures.items():
        if packets:
            write_bytes(packets, directory / f"{name}.pcap")


def render_qr_code(text: str, output: Path | None, terminal: TextIO) -> None:
    """Render a text as a QR code on the terminal, or into a PNG or SVG file. Raises UsageError."""
    code = optional("segno", "a QR code").make(text, error="l", micro=False)
    if output is None:
        code.terminal(out=terminal, compact=True)
        return
    image = BytesIO()
    code.save(image, kind=output.suffix.removeprefix("."), scale=4)
    write_bytes(image.getvalue(), output)


def write_bytes(data: bytes, path: Path, mode: int = 0o600) -> None:
    """Replace a file by a new one: who owns the old one, or has it open, does not get the data. Raises UsageError.

    A device's export holds its private key. Devices, pipes and what lies in /dev and /proc are written into.
    """
    temporary = ""
    try:
        if _is_stream(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK), "wb") as stream:
                os.set_blocking(stream.fileno(), True)
                stream.write(data)
            return
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a directory", "name a file")
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}", "choose another file") from None


def refuse_existing(path: Path) -> None:
    """Raise UsageError where a file is there that would be replaced."""
    if os.path.lexists(path):  # Path.exists raises for a name that is too long
        raise UsageError(f"{path} already exists", "-o another.yaml, or delete it")


STREAMS = (Path("/dev"), Path("/proc"))
"""Nothing there is a file of a person's."""


def _is_stream(path: Path) -> bool:
    if any(path.is_relative_to(place) for place in STREAMS):
        return True
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(kind) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)


def make_directory(path: Path) -> None:
    """Make a directory that only its owner can read, unless it is there. Raises UsageError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the directory {path}: {error.strerror}", "choose another one") from None
