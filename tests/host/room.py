"""A directory in which sh functions of a host run, with stand-ins for binaries and for what lies below /proc, /sys and /etc."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from wgorch.host.library import library

SHELLS = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash", "--posix")}
"""Shells that hosts have as /bin/sh, by name."""

BOOT_ID = "11111111-2222-3333-4444-555555555555"

_SYSTEM = re.compile(r"(?<!\w)/(etc|proc|sys)/")


class Room:
    """One host. `output` is what the last call printed, `status` how it ended."""

    def __init__(self, place: Path, shell: str) -> None:
        self.place = place
        self.shell = SHELLS[shell]
        self.output = ""
        self.status = 0
        for name in ("bin", "network", "etc", "sys/class/net"):
            (place / name).mkdir(parents=True)
        self.write("proc/sys/kernel/random/boot_id", f"{BOOT_ID}\n")

    def write(self, name: str, text: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        """A file's text; empty where there is none."""
        path = self.place / name
        return path.read_text() if path.exists() else ""

    def stub(self, name: str, text: str) -> None:
        """Put a stand-in for a binary; it notes its words in `calls`."""
        self.write(f"bin/{name}", f'#!/bin/sh\necho "{name} $*" >>{self.place}/calls\n{text}\n')
        (self.place / "bin" / name).chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were called with since the room was made."""
        return self.read("calls").splitlines()

    def run(self, *lines: str) -> str:
        """Run lines as a script of a change does, with every function of the library."""
        text = _SYSTEM.sub(rf"{self.place}/\1/", "\n".join([*library().values(), *lines]))
        text = text.replace('PATH="', f'PATH="{self.place}/bin:')
        text = f"directory={self.place}/network\n{text}"
        done = subprocess.run(
            [*self.shell, "-c", text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        self.output, self.status = done.stdout, done.returncode
        return self.output
