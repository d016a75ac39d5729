"""The journal: what a run did, one JSON line per event, for people; no decision reads it."""

from __future__ import annotations

import os
import time
from typing import Any

from wgorch.base.directories import private_directory, state_directory
from wgorch.base.text import one_line, without_keys


class Journal:
    """Appends events to `NETWORK.jsonl`, mode 0600; a write error ends the journal, never the run."""

    def __init__(self, network: str, run: str, known_keys: frozenset[str] = frozenset()) -> None:
        self.path = state_directory() / f"{network}.jsonl"
        self.run = run
        self.known_keys = known_keys
        self._file: Any = None
        try:
            private_directory(self.path.parent)
            self._set_aside_if_corrupt()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(descriptor, 0o600)
            self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        except OSError:
            self._file = None

    def write(self, event: str, host: str = "", **more: Any) -> None:
        """Append one event; control characters are escaped, and keys outside `known_keys` are hidden."""
        import json

        if self._file is None:
            return
        clean = {k: self._clean(v) if isinstance(v, str) else v for k, v in more.items()}
        line = {"time": round(time.time(), 3), "run": self.run, "event": event, "host": host, **clean}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError:
            self._file = None

    def _clean(self, text: str) -> str:
        return without_keys(one_line(text, 500), self.known_keys)

    def _set_aside_if_corrupt(self) -> None:
        import json

        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 65536))
            last = file.read().rstrip(b"\n").split(b"\n")[-1]
        try:
            json.loads(last)
        except ValueError:
            self.path.rename(self.path.with_suffix(f".corrupt-{int(time.time())}"))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
