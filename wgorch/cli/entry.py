"""Entry of the console script: until `run` can answer Ctrl-C, it ends the process without a traceback."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from wgorch.cli.main import run

__all__ = ["run"]
