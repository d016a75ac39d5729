"""`wgorch ssh`: open a shell on a host as the inventory reaches it."""

from __future__ import annotations

import argparse
import os

from wgorch.cli.options import Options, host_argument, inventory_option
from wgorch.errors import UsageError

SUMMARY = "Open a shell on a host, or run a command there, by its SSH settings"
EXAMPLES = ("wgorch ssh home", "wgorch ssh -i office.yaml company -- wg show wg0")


class ShellOptions(Options):
    """Options of `wgorch ssh`."""

    host: str
    command: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "host", help="host of the inventory")
    parser.add_argument(
        "command", nargs="*", default=[], metavar="COMMAND", help="command to run there, after -- (default: a shell)"
    )
    inventory_option(parser)


def run(options: ShellOptions) -> int:
    """Become OpenSSH's client; its exit code is that of the command."""
    from wgorch.cli.context import load_inventory
    from wgorch.inventory.names import check_host
    from wgorch.remote.openssh.argv import shell_text

    inventory = load_inventory(options, quiet=True)
    check_host(inventory, options.host)
    host = inventory.hosts[options.host]
    command = options.command
    if host.enter:
        command = [*host.enter, "/bin/sh", *(["-c", shell_text(command)] if command else [])]
    if host.ssh.local:
        words = command or [os.environ.get("SHELL", "/bin/sh")]
    else:
        from wgorch.remote.openssh.argv import interactive_argv
        from wgorch.remote.ssh.resolve import SshResolver

        words = interactive_argv(SshResolver(inventory.hosts).of(host), command, terminal=not options.command)
    try:
        os.execvp(words[0], words)  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise UsageError(f"cannot run {words[0]}: {error.strerror}", "install OpenSSH's client") from None
