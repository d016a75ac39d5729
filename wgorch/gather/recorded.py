"""Facts of a host as a file: gathered now, planned from later."""

from __future__ import annotations

import json
from dataclasses import replace

from wgorch.errors import UsageError
from wgorch.gather.observed import Observed, read_all

KIND = "wgorch facts"
FORMAT = 1


def to_text(seen: Observed, time: int) -> str:
    """The facts of a host as JSON; no private key is among them. `time`: UNIX time of the reading."""
    data = {"kind": KIND, "format": FORMAT, "host": seen.host, "time": time, "adopted": seen.adopted}
    return json.dumps({**data, "answers": dict(seen.answers)}, indent=1, ensure_ascii=False) + "\n"


def from_text(text: str, name: str, host: str) -> tuple[Observed, int]:
    """The facts in a text, and the UNIX time of the reading. Raises UsageError for what are no facts of the host."""
    hint = "gather them again: wgorch facts -o DIR"
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("kind") != KIND or data.get("format") != FORMAT:
            raise UsageError(f"{name} has no facts of wgorch that this version reads", hint)
        if data["host"] != host:
            raise UsageError(f"{name} has the facts of {str(data['host'])[:40]!r}", hint)
        answers = {str(section): list(map(str, lines)) for section, lines in data["answers"].items()}
        return replace(read_all(host, answers), adopted=bool(data["adopted"])), int(data["time"])
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise UsageError(f"{name} has no facts of wgorch, or was cut", hint) from None
