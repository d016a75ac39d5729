"""Read known_hosts as OpenSSH does: names, [name]:port, wildcards, hashed names, @revoked, @cert-authority.

paramiko's own loader refuses a whole file for one @revoked line, and takes seconds for a large one.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wgorch.base.value import value


def fingerprint(blob: bytes) -> str:
    """``SHA256:…`` as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def lookup_name(host: str, port: int, alias: str = "") -> str:
    """The name of a host in known_hosts: its HostKeyAlias, or ``host``, or ``[host]:port``."""
    return alias or (host if port == 22 else f"[{host}]:{port}")


REVOKED, AUTHORITY = "@revoked", "@cert-authority"


@value
class KnownKey:
    """One key of one line. `marker`: REVOKED, AUTHORITY or empty; `place`: FILE:LINE."""

    kind: str
    blob: bytes
    marker: str
    place: str


@dataclass
class KnownHosts:
    """All keys, by how a line names its hosts. `unread`: the lines that were skipped, each with its reason."""

    plain: dict[str, list[KnownKey]] = field(default_factory=lambda: defaultdict(list))
    patterns: list[tuple[list[str], KnownKey]] = field(default_factory=list)
    hashed: list[tuple[bytes, bytes, KnownKey]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def keys(self, name: str) -> list[KnownKey]:
        """All keys of a host, revoked ones and authorities included; `name`: as of `lookup_name`."""
        found = list(self.plain.get(name.lower(), ()))
        for patterns, key in self.patterns:
            hits = [p for p in patterns if fnmatch.fnmatchcase(name.lower(), p.lstrip("!").lower().replace("[", "[[]"))]
            if hits and not any(p.startswith("!") for p in hits):
                found.append(key)
        for salt, digest, key in self.hashed:
            if hmac.digest(salt, name.lower().encode(), "sha1") == digest:
                found.append(key)
        return found

    def read(self, text: str, origin: str) -> None:
        """Add the lines of a file; a line that cannot be parsed is noted in `unread`."""
        for number, line in enumerate(text.split("\n"), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            marker = words.pop(0) if words[0].startswith("@") else ""
            place = f"{origin}:{number}"
            if len(words) < 3 or marker not in ("", REVOKED, AUTHORITY):
                self.unread.append(f"{place}: not a known_hosts line")
                continue
            names, kind, encoded = words[:3]
            try:
                blob = base64.b64decode(encoded, validate=True)
            except ValueError:
                self.unread.append(f"{place}: the key is not base64")
                continue
            self._add(names, KnownKey(kind, blob, marker, place))

    def _add(self, names: str, key: KnownKey) -> None:
        if names.startswith("|1|"):
            try:
                salt, digest = (base64.b64decode(part, validate=True) for part in names[3:].split("|"))
                if not salt or len(digest) != hashlib.sha1().digest_size:
                    raise ValueError(names)
            except ValueError:
                self.unread.append(f"{key.place}: the hashed name is broken")
                return
            self.hashed.append((salt, digest, key))
            return
        patterns = names.split(",")
        if any(c in name for name in patterns for c in "*?!"):
            self.patterns.append((patterns, key))
            return
        for name in patterns:
            self.plain[name.lower()].append(key)


def load(files: Iterable[Path]) -> KnownHosts:
    """Read several files; a missing one is skipped."""
    known = KnownHosts()
    for path in files:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        known.read(text, str(path))
    return known
