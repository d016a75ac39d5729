"""`wgorch demo`: the reference network in namespaces of this machine, and the main job on it."""

from __future__ import annotations

import argparse
import os

from wgorch.cli.options import Options
from wgorch.errors import UsageError

SUMMARY = "Build an example network in local network namespaces, and run check to teardown on it"
EXAMPLES = ("sudo wgorch demo",)


class DemoOptions(Options):
    """Options of `wgorch demo`: none of its own."""


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """The demo has no options."""


def run(options: DemoOptions) -> int:
    """Run the demo."""
    from wgorch.base.extras import optional

    if os.geteuid() != 0:
        raise UsageError("demo needs root to build network namespaces", "sudo wgorch demo")
    optional("pyroute2", "demo")
    from wgorch.rehearsal.demo import demo
    from wgorch.rehearsal.machine import WorldError

    try:
        return demo()
    except WorldError as error:
        raise UsageError(f"cannot build the example network: {error}") from None
