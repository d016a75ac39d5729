"""Judge the flows of `verify:` that are no pings to be answered; pure."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import UDP
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
    return attempt in (_STOPPED if flow.refused else _PASSED)


_STOPPED = (Attempt.SILENT, Attempt.REJECTED)
_PASSED = (Attempt.OPEN, Attempt.ARRIVED)


def _refused(flow: Flow, attempt: Attempt) -> tuple[str, str]:
    """The fault and its fix; both empty where there is none."""
    if attempt in (Attempt.OPEN, Attempt.CLOSED, Attempt.ARRIVED):
        return "it gets through", "correct policy:; what wgorch check says comes from the inventory alone"
    # Where nothing can see whether it arrives, nothing speaks against the policy.
    return _unable(flow, attempt) if attempt is not Attempt.UNSEEN else ("", "")


def _allowed(flow: Flow, attempt: Attempt) -> tuple[str, str]:
    if attempt is Attempt.CLOSED:
        return f"{flow.target} is reached, but nothing listens on {flow.service}", "start it there, or correct verify:"
    if attempt in (Attempt.SILENT, Attempt.REJECTED):
        what = "it does not arrive" if flow.service.protocol == UDP else "no answer"
        option = f" --{flow.service.protocol} {flow.port}" if flow.port else ""
        rejected = "a firewall on the way rejects it"
        return rejected if attempt is Attempt.REJECTED else what, f"wgorch trace {flow.source} {flow.target}{option}"
    return _unable(flow, attempt)


def _unable(flow: Flow, attempt: Attempt) -> tuple[str, str]:
    if attempt is Attempt.UNSEEN:
        what = "not measured: no answer, and nothing shows whether it arrives"
        return what, "install nftables on the last host of its path, or let the port answer"
    if attempt is Attempt.UNABLE:
        return (
            "not measured: nothing here can connect",
            "install bash or python3" if flow.service.protocol == UDP else "install bash, python3 or nc",
        )
    return "", ""
