"""``python -m wgorch``."""

from wgorch.cli.entry import run

run()
