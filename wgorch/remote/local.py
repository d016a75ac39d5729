"""The controller itself as a host: the same shell, without SSH."""

from __future__ import annotations

from wgorch.base.sh import Sh
from wgorch.remote.process import ProcessWire


class LocalWire(ProcessWire):
    """A shell as a child process. `command`: what /bin/sh runs."""

    def __init__(self, command: Sh) -> None:
        super().__init__(["/bin/sh", "-c", command])
