"""The console script: parse, run one verb, print its error, and end with its exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from wgorch.cli.parser import build_parser
from wgorch.cli.terminal import on_terminal
from wgorch.cli.verbs import NAMES, verb
from wgorch.errors import DONE, FAULT, INTERRUPTED, InventoryError, WgorchError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    argv = _without_help_verb(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(build_parser(), always_complete_options=False)
    try:
        parser = build_parser(_verbs_in(argv))
        options = parser.parse(argv)
        if options.verb is None:
            parser.print_help()
            return DONE
        return verb(options.verb).run(options)
    except InventoryError as error:
        sys.stderr.write(f"{on_terminal(str(error))}\n")
        return error.exit_code
    except WgorchError as error:
        sys.stderr.write(f"{on_terminal(f'wgorch: {error}')}\n")
        return error.exit_code
    except (KeyboardInterrupt, EOFError) as error:  # Ctrl-C, or Ctrl-D at a prompt
        sys.stderr.write("wgorch: interrupted; wgorch status shows what the hosts run\n")
        return int(error.args[0]) if isinstance(error, KeyboardInterrupt) and error.args else INTERRUPTED


def _without_help_verb(argv: Sequence[str]) -> Sequence[str]:
    """``help up`` as ``up --help``."""
    return [*argv[1:2], "--help"] if argv[:1] == ["help"] else argv


def _verbs_in(argv: Sequence[str]) -> Sequence[str]:
    """The verbs whose options a command line may have; all where its first word is unknown."""
    if not argv or argv[0] in ("-h", "--help", "--version"):
        return ()
    return argv[:1] if argv[0] in NAMES else NAMES


_PID = os.getpid()


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """End as at Ctrl-C; a helper that pyroute2 forked ends as it would without a handler."""
    if os.getpid() != _PID:
        os._exit(128 + number)
    raise KeyboardInterrupt(128 + number)


def run() -> NoReturn:
    """Run the command line, and exit without waiting for idle SSH threads."""
    from wgorch.report.streams import survive

    os.umask(0o077)
    if sys.stdin is None:  # closed: no terminal, and nothing to read
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - as long as the process
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup
        signal.signal(number, _interrupt)
    output = survive()
    gc.set_threshold(50_000, 20, 100)  # a short run frees little: 10 % less time
    try:
        code = main()
    except SystemExit as end:  # argparse, after --help
        code = end.code if isinstance(end.code, int) else DONE
    except Exception as error:  # noqa: BLE001 - the last resort: every end of the program is a documented one
        from wgorch.cli.crash import report_crash

        code = report_crash(error)
    if lost := output.lost():
        sys.stderr.write(f"wgorch: standard output: {lost}; what is printed is not complete\n")
    sys.stderr.flush()
    os._exit(FAULT if lost and code == DONE and not output.reader_left else code)
