"""The commit of an inventory that lies in a git repository."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from wgorch.base.local import ask


def commit_of(path: str) -> str:
    """The commit that is checked out where a file lies; "and changes" where the file differs from it; empty without git."""
    file = Path(path).absolute()
    if not any(os.path.exists(place / ".git") for place in file.parents):  # noqa: PTH110 - False where it may not look
        return ""
    commit, _, blob = ask(["git", "-C", str(file.parent), "rev-parse", "HEAD", f"HEAD:./{file.name}"]).output.partition(
        "\n"
    )
    if len(commit) not in (40, 64):
        return ""
    try:
        data = file.read_bytes()
    except OSError:
        return commit
    kind = "sha1" if len(commit) == 40 else "sha256"
    own = hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return commit if own == blob.strip() else f"{commit} and changes"
