"""The parser: argparse over the verbs' declarations, with guesses at what was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from wgorch.cli.options import DEFAULTS, Options
from wgorch.cli.reference import usage
from wgorch.cli.verbs import NAMES, verb
from wgorch.cli.version import ShowVersion
from wgorch.errors import UsageError

OTHER_WORDS = {
    "up": ("build", "create", "deploy", "install", "start", "sync", "converge"),
    "teardown": ("clean", "delete", "destroy", "down", "remove", "rm", "stop", "undeploy", "uninstall"),
    "plan": ("preview", "dry-run", "dryrun", "show-plan"),
    "status": ("list", "logs", "log", "ls", "peers", "ps", "state", "info"),
    "verify": ("ping", "test"),
    "check": ("lint", "validate"),
    "adopt": ("import",),
    "map": ("draw", "graph"),
    "export": ("config", "qr", "qrcode"),
    "doctor": ("diagnose",),
    "trace": ("traceroute", "tracepath"),
    "rotate-key": ("rekey", "rotate", "rotate-keys"),
    "rehearse": ("simulate", "sandbox"),
}
"""What people of other tools call a verb."""

OTHER_OPTIONS = {
    **dict.fromkeys(("--dry-run", "--dryrun", "--check", "-n", "--diff"), "wgorch plan shows what up would change"),
    **dict.fromkeys(("--auto-approve", "--force", "-f", "--assume-yes"), "--yes"),
    "--keep-going": "hosts that are off are left out by default; --strict stops at one",
    **dict.fromkeys(("--hosts", "--host", "--target", "--only"), "--limit"),
}
"""The remedy for an option that another tool has."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError, and prints the description before the usage line."""

    verbs: dict[str, argparse.ArgumentParser]
    """The parsers of verbs; none in that of a verb."""

    def __init__(self, *, lists_verbs: bool = False, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)
        self.verbs = {}
        self._lists_verbs = lists_verbs
        self._mixes = False

    def format_help(self) -> str:
        if self._lists_verbs:
            return usage()
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return formatter.format_help()

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found as a UsageError."""
        raise UsageError(message, f"{self.prog} --help")

    def parse(self, argv: Sequence[str] | None) -> Options:
        """Parse a command line. Raises UsageError; SystemExit after --help and --version."""
        options = Options()
        _, unknown = self.parse_known_args(argv, options)
        if unknown:
            word = unknown[0]
            parser = self.verbs.get(options.verb or "", self)
            known = [flag for action in parser._actions for flag in action.option_strings]
            kind = "unknown option" if word.startswith("-") else "unexpected argument"
            hint = OTHER_OPTIONS.get(word.partition("=")[0]) or f"{parser.prog} --help"
            raise UsageError(f'{kind} "{word}"{_guess(word, known)}', hint)
        return options

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse what is known; a verb takes its arguments before, between and after its options."""
        found = super().parse_known_args(args, namespace)
        left = found[1][:1]
        if self.verbs or self._mixes or not left or (left[0].startswith("-") and left[0] != "--"):
            return found
        self._mixes = True  # argparse comes back here for each kind
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixes = False

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.dest == "verb" and value not in self.verbs:
            meant = next((name for name, words in OTHER_WORDS.items() if str(value).lower() in words), str(value))
            raise UsageError(f'unknown verb "{value}"{_guess(meant, self.verbs)}', f"{self.prog} --help")
        super()._check_value(action, value)


def build_parser(names: Sequence[str] = NAMES) -> Parser:
    """The parser of all verbs, or of some: each takes half a millisecond."""
    parser = Parser(prog="wgorch", lists_verbs=True)
    parser.add_argument("--version", action=ShowVersion)
    parser.set_defaults(**DEFAULTS)
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=False, parser_class=Parser)
    for name in names:
        declared = verb(name)
        examples = "".join(f"\n  {line}" for line in declared.EXAMPLES)
        sub = subparsers.add_parser(name, description=f"{declared.SUMMARY}\n\nExamples:{examples}")
        declared.add_arguments(sub)
        sub.usage = " ".join([f"wgorch {name} [options]", *_positionals(sub)])
        parser.verbs[name] = sub
    return parser


def _positionals(parser: argparse.ArgumentParser) -> Iterable[str]:
    """The positional arguments as the usage line shows them: ``HOST``, ``[INVENTORY]``, ``HOST …``."""
    for action in parser._actions:
        if not action.option_strings:
            word = f"{action.metavar or action.dest.upper()}{' …' if action.nargs in ('+', '*') else ''}"
            yield f"[{word}]" if action.nargs in ("?", "*") else word


def _guess(word: str, known: Iterable[str]) -> str:
    """``. Did you mean "check"?``, or an empty text."""
    from wgorch.inventory.fields.suggest import suggest

    guess = suggest(word, known)
    return f".{guess}" if guess else ""
