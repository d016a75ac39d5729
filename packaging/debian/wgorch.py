#!/usr/bin/python3 -I
"""wgorch, with the libraries of its package and none of the user's."""

import sys

sys.path.insert(0, "/usr/lib/wgorch")

from wgorch.cli.entry import run  # noqa: E402

run()
