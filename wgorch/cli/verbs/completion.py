"""`wgorch completion`: print the completion script of a shell."""

from __future__ import annotations

import argparse
import sys

from wgorch.cli.options import Options
from wgorch.errors import DONE

SUMMARY = "Print the shell completion script"
EXAMPLES = ('eval "$(wgorch completion bash)"',)


class CompletionOptions(Options):
    """Options of `wgorch completion`."""

    shell: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="shell to complete in")


def run(options: CompletionOptions) -> int:
    """Print the script."""
    from argcomplete.shell_integration import shellcode

    sys.stdout.write(shellcode(["wgorch"], shell=options.shell) + "\n")
    return DONE
