"""``python -m wgorch``."""

from wgorch.cli import run

run()
