"""Plan from facts that were gathered before."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wgorch.errors import HostError, Unreachable, UsageError
from wgorch.gather.observed import Observed
from wgorch.gather.recorded import from_text
from wgorch.report.sessions import duration
from wgorch.run import Run


def use_facts(run: Run, directory: Path, max_age_s: int) -> None:
    """Let a run go on from the facts in a directory, and say how old they are. Raises UsageError."""
    seen: dict[str, Observed] = {}
    absent: dict[str, HostError] = {}
    times: dict[str, int] = {}
    for name in run.involved:
        path = directory / f"{name}.json"
        try:
            seen[name], times[name] = from_text(path.read_bytes().decode(errors="replace"), str(path), name)
        except FileNotFoundError:
            absent[name] = Unreachable(name, "read facts", f"{path} does not exist")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", "gather them: wgorch facts -o DIR") from None
    if not seen:
        raise UsageError(f"no facts of the inventory's hosts in {directory}", f"wgorch facts -o {directory}")
    oldest = min(times, key=lambda name: times[name])
    age = max(0, int(time.time()) - times[oldest])
    if age > max_age_s:
        problem = f"the facts of {oldest} are {duration(age)} old, and --max-age is {duration(max_age_s)}"
        raise UsageError(problem, f"wgorch facts -o {directory}, or a longer --max-age")
    sys.stderr.write(f"facts: {directory}, {duration(age)} old\n")
    run.use(seen, absent)
