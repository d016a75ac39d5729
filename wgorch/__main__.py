"""``python -m wgorch``."""

from wgorch.cli.main import run

run()
