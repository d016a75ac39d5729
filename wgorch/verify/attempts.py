"""Judge the flows of `verify:` that are no pings to be answered; pure."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.model import Flow
from wgorch.verify.finding import Finding
from wgorch.verify.measure import Attempt, Measurement


def attempted(here: Measurement) -> Iterator[Finding]:
    """The faults that a host's attempts show."""
    for flow, attempt in here.attempts.items():
        what, hint = _refused(flow, attempt) if flow.refused else _allowed(flow, attempt)
        if what:
            yield Finding(here.host, f"{flow}: {what}", hint, pair=(flow.source, str(flow)))


def works(flow: Flow, attempt: Attempt) -> bool:
    """True where an attempt ended as its line says."""
    return attempt is (Attempt.SILENT if flow.refused else Attempt.OPEN)


def _refused(flow: Flow, attempt: Attempt) -> tuple[str, str]:
    """The fault and its fix; both empty where there is none."""
    if attempt in (Attempt.OPEN, Attempt.CLOSED):
        return "it gets through", "correct policy:; what wgorch check says comes from the inventory alone"
    return _unable(attempt)


def _allowed(flow: Flow, attempt: Attempt) -> tuple[str, str]:
    if attempt is Attempt.CLOSED:
        return f"{flow.target} is reached, but nothing listens on {flow.service}", "start it there, or correct verify:"
    if attempt is Attempt.SILENT:
        option = f" --tcp {flow.port}" if flow.port else ""
        return "no answer", f"wgorch trace {flow.source} {flow.target}{option}"
    return _unable(attempt)


def _unable(attempt: Attempt) -> tuple[str, str]:
    if attempt is Attempt.UNABLE:
        return "not measured: nothing here can connect", "install bash, python3 or nc"
    return "", ""
