"""What a person asked for as files that only their owner reads, and as QR codes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from wgorch.errors import UsageError


def write(texts: Mapping[str, str], output: Path) -> None:
    """Texts into a directory, or the only one into a file; 0600, since a device's holds its private key."""
    into_directory = output.is_dir() or len(texts) > 1 or not output.suffix
    if into_directory:
        output.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in texts.items():
        _private(output / name if into_directory else output).write_text(text, encoding="utf-8")


def put(text: str, path: Path) -> None:
    """One text into a file. Raises UsageError."""
    _private(path).write_text(text, encoding="utf-8")


def draw_code(text: str, output: Path | None, terminal: TextIO) -> None:
    """A text as a QR code: on the terminal, or as a PNG or SVG file."""
    import segno

    code = segno.make(text, error="l", micro=False)
    if output is None:
        code.terminal(out=terminal, compact=True)
    else:
        code.save(str(_private(output)), scale=4)


def _private(path: Path) -> Path:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return path


def write_packets(captures: Mapping[str, bytes], directory: Path) -> None:
    """What passed on each host, a file each that Wireshark opens."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, packets in captures.items():
        if packets:
            _private(directory / f"{name}.pcap").write_bytes(packets)
