"""Write exports, captures and QR codes to files that only their owner can read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from wgorch.errors import UsageError


def write(texts: Mapping[str, str], output: Path) -> None:
    """Write texts into a directory, or a single one into a file. Raises UsageError."""
    into_directory = output.is_dir() or len(texts) > 1 or not output.suffix
    if into_directory:
        output.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(text, output / name if into_directory else output)


def write_text(text: str, path: Path) -> None:
    """Write one text into a file. Raises UsageError."""
    _create_private(path).write_text(text, encoding="utf-8")


def write_packets(captures: Mapping[str, bytes], directory: Path) -> None:
    """Write the capture of each host as a pcap file. Raises UsageError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, packets in captures.items():
        if packets:
            _create_private(directory / f"{name}.pcap").write_bytes(packets)


def render_qr_code(text: str, output: Path | None, terminal: TextIO) -> None:
    """Render a text as a QR code on the terminal, or into a PNG or SVG file. Raises UsageError."""
    import segno

    code = segno.make(text, error="l", micro=False)
    if output is None:
        code.terminal(out=terminal, compact=True)
    else:
        code.save(str(_create_private(output)), scale=4)


def _create_private(path: Path) -> Path:
    """Create or truncate a file with mode 0600: a device's export holds its private key. Raises UsageError."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "choose another file") from None
    return path
