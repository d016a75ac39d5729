"""Facts that only the doctor asks for, and the script that reads them."""

from __future__ import annotations

import re

from wgorch.base.sh import Sh, sh_lines
from wgorch.base.value import value
from wgorch.facts.grammar import integer, read_answers
from wgorch.facts.part import Answers
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded


@value
class DoctorFacts:
    """Facts that only the doctor asks for."""

    clock: int
    """UNIX time of the host."""
    daemons: frozenset[str]
    """Running daemons that change networks or firewalls, of those that the script looks for."""
    legacy_rules: int
    """Number of rules of iptables-legacy."""
    nft_rules: int
    """Number of rules of iptables-nft."""
    unresolved: tuple[str, ...]
    """Names that the host cannot resolve."""
    unknown: tuple[str, ...] = ()
    """What a missing or failing tool left open, and why."""


def script(names: list[str]) -> Sh:
    """The script; it resolves `names` on the host."""
    words = parameters({"nonce": NONCE, "names": " ".join(names)})
    return sh_lines([ENVIRONMENT, words, uploaded("doctor.sh")])


def parse(host: str, text: str) -> DoctorFacts:
    """The DoctorFacts in the output of the script. Raises Garbled."""
    return read_answers(host, text, NONCE, "read diagnostics", _facts)


def _facts(answers: Answers) -> DoctorFacts:
    return DoctorFacts(
        clock=integer(answers["clock"][0]),
        daemons=frozenset(word for word in answers["managers"] if re.fullmatch(r"[A-Za-z-]{1,30}", word)),
        legacy_rules=integer((answers["legacy"] or ["0"])[0]),
        nft_rules=integer((answers["nft-rules"] or ["0"])[0]),
        unresolved=tuple(line[:-3] for line in answers["names"] if line.endswith(" no")),
        unknown=tuple(what[:120] for line in answers["unknown"] for what in line.split(";") if what),
    )
