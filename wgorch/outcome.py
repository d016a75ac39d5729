"""Results of a verb: by host, and as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wgorch.base.value import value
from wgorch.errors import ABSENT, DONE, HostError, UsageError
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host
from wgorch.plan.absent import Absence
from wgorch.plan.hold import Held
from wgorch.plan.host import HostPlan
from wgorch.plan.members import Record
from wgorch.remote.clients import SshSession
from wgorch.topology.desired import WHOLE, Cut
from wgorch.verify.diagnose import Verdict


class HostState(StrEnum):
    """What a host runs after a change; the value is its name in JSON."""

    ROLLED_BACK = "rolled-back"
    """The state before the change, whether or not anything was touched."""
    APPLIED = "applied"
    UNCONFIRMED = "unconfirmed"
    NOT_BEGUN = "not-begun"
    """A batch before its own failed, or was the last one."""
    UNKNOWN = "unknown"


@dataclass
class HostOutcome:
    """The state of one host after a change, and why it is in it."""

    state: HostState = HostState.ROLLED_BACK
    why: str = ""


@value
class DirectResult:
    """Two hosts that were to leave their relay out; `why` they still meet there, empty where they do not.

    `settled`: their hosts are known to stand where they stood before.
    """

    one: str
    other: str
    why: str = ""
    settled: bool = True


@value
class Outcome:
    """How a verb ended."""

    code: int
    plans: Mapping[str, HostPlan] = field(default_factory=dict)
    verdict: Verdict | None = None
    standing: Mapping[str, HostOutcome] = field(default_factory=dict)
    failed: tuple[HostError, ...] = ()
    exchanges: Mapping[str, int] = field(default_factory=dict)
    handshakes: int = 0
    tried: tuple[DirectResult, ...] = ()
    leaving: Mapping[str, Host] = field(default_factory=dict)
    """Hosts that left the inventory and are to be taken down."""
    removed: tuple[str, ...] = ()
    """Those that are restored."""
    orphans: Mapping[str, str] = field(default_factory=dict)
    """Those that are not restored, and why; empty if not tried."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the other networks of wgorch on each host, where a teardown found nothing of its own."""
    absent: Mapping[str, HostError] = field(default_factory=dict)
    """Hosts that were not reached, and are as they were."""

    @property
    def succeeded(self) -> bool:
        """True if all was done that could be without the absent hosts."""
        return self.code in (DONE, ABSENT)


def with_absent(absent: Mapping[str, HostError], outcome: Outcome) -> Outcome:
    """The same outcome with the hosts that were not reached; what is done without them has a code of its own."""
    return replace(outcome, absent=absent, code=ABSENT if absent and outcome.code == DONE else outcome.code)


class Declined(UsageError):
    """The plan needs consent and did not get it."""


@value
class ManagedNetwork:
    """A network of wgorch on a host, read from the host alone."""

    name: str
    interface: str


@value
class Status:
    """What every host says of itself, and how it differs from the inventory."""

    code: int
    seen: Mapping[str, Observed]
    plans: Mapping[str, HostPlan]
    unreachable: Mapping[str, HostError]
    keys: Mapping[str, str]
    errors: tuple[str, ...] = ()
    ssh: Mapping[str, SshSession | None] = field(default_factory=dict)
    """How each host that was reached was reached; None: it is this machine."""
    absences: Mapping[str, Absence] = field(default_factory=dict)
    """How long each host that was not reached has been away."""
    record: Record = Record()
    """The newest record of the network's members."""
    leaving: Mapping[str, Host] = field(default_factory=dict)
    """Hosts that left the inventory and are not taken down."""
    held: tuple[Held, ...] = ()
    """Changes that wait to be confirmed."""
    avoided: Cut = WHOLE
    """Sessions with relays that hosts do not use just now."""


@value
class Export:
    """Files for another tool."""

    texts: Mapping[str, str]
    """By file name."""
    notes: tuple[str, ...] = ()
    """What to do with them."""
    is_complete: bool = False
    """True for a device whose private key is in the file, so that it works as it is."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Fields of the device that the inventory lacks, as YAML."""

    @property
    def only(self) -> str:
        """The text of the only file. Raises UsageError where there are several."""
        if len(self.texts) != 1:
            raise UsageError("a QR code holds one file", "name one device")
        return next(iter(self.texts.values()))
