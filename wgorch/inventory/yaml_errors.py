"""Explain YAML syntax errors: location, cause and fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import yaml

from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import BREAKS, Problems, indent_of


class _Failure(NamedTuple):
    """Where the parser stopped, and its own words: libyaml has no error codes, so its texts are compared."""

    text: str
    """The whole file."""
    lines: list[str]
    """The lines of the file."""
    line: int
    """Line where the parser stopped, from 1."""
    column: int
    """Column where the parser stopped, from 1."""
    opened: tuple[int, int]
    """Line and column of the construct that the parser was in."""
    problem: str
    """What the parser did not expect."""
    context: str
    """What the parser was in."""

    @property
    def here(self) -> str:
        """The line where the parser stopped."""
        return self.lines[self.line - 1]

    @property
    def character(self) -> str:
        """The character where the parser stopped."""
        return self.here[self.column - 1 : self.column]


class _Cause(NamedTuple):
    """An explanation of a failure."""

    line: int
    column: int
    message: str
    fix: str


def add_yaml_error(error: yaml.MarkedYAMLError, text: str, problems: Problems) -> None:
    """Add the problem that a YAML syntax error stands for."""
    lines = BREAKS.split(text)
    line, column = _inside(error.problem_mark or error.context_mark, lines)
    opened = _inside(error.context_mark, lines) if error.context_mark else (line, column)
    failure = _Failure(text, lines, line, column, opened, error.problem or "not YAML", error.context or "")
    cause = next(cause for explain in _EXPLANATIONS if (cause := explain(failure)))
    problems.add(Scalar(cause.line, cause.column, "", True), "", cause.message, cause.fix)


def _inside(mark: yaml.Mark | None, lines: list[str]) -> tuple[int, int]:
    """Return a mark as line and column; the end of the file is the end of its last line with text."""
    if mark is None:
        return 1, 1
    if mark.line >= len(lines) or (mark.line == len(lines) - 1 and not lines[-1] and len(lines) > 1):
        last = max(i for i, text in enumerate(lines, 1) if text or i == 1)
        return last, len(lines[last - 1]) + 1
    return mark.line + 1, min(mark.column, len(lines[mark.line])) + 1


def _indented_by_other_than_spaces(failure: _Failure) -> _Cause | None:
    for line in (failure.line, failure.line - 1, failure.line - 2):
        text = failure.lines[line - 1] if line > 0 else ""
        found = re.match(" *([^ ])", text[: indent_of(text)])
        if found:
            character = found[1]
            name = f"the character U+{ord(character):04X}, which looks like a space,"
            message = f"{'a tab' if character == chr(9) else name} is used for indentation"
            return _Cause(line, found.start(1) + 1, message, "use spaces")
    return None


def _unquoted_ipv6_endpoint(failure: _Failure) -> _Cause | None:
    endpoint = re.search(r"(?<![\"'\[])\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]:?\d*", failure.here)
    if not endpoint:
        return None
    fix = f'put it in quotes: "{endpoint[0]}"'
    return _Cause(failure.line, endpoint.start() + 1, "YAML reads [..] as a list", fix)


def _alias(failure: _Failure) -> _Cause | None:
    if "alias" not in failure.context and "anchor" not in failure.context:
        return None
    column = failure.opened[1]
    mark = failure.here[column - 1 : column]
    message = f'"{mark}" stands for aliases and anchors, which are not accepted'
    return _Cause(*failure.opened, message, "put the value in quotes")


def _escape(failure: _Failure) -> _Cause | None:
    if "escape" not in failure.problem:
        return None
    return _Cause(
        failure.line, failure.column, "unknown escape sequence after a backslash", "put the value in single quotes"
    )


def _unclosed_bracket(failure: _Failure) -> _Cause | None:
    for context, opening, closing, kind in (("sequence", "[", "]", "list"), ("mapping", "{", "}", "mapping")):
        if f"flow {context}" in failure.context:
            message = f'the {kind} opened here with "{opening}" is never closed with "{closing}"'
            return _Cause(*failure.opened, message, f'add the "{closing}"')
    return None


def _bracket_at_the_end(failure: _Failure) -> _Cause | None:
    at_end = not failure.here[failure.column - 1 :].strip() and re.search(r"[\[{]\s*$", failure.text)
    if "flow node" not in failure.context or not at_end:
        return None
    lines = BREAKS.split(failure.text.rstrip())
    message = f'"{lines[-1][-1]}" is opened here and never closed'
    return _Cause(len(lines), len(lines[-1]), message, "close it, or delete it")


def _missing_value(failure: _Failure) -> _Cause | None:
    if "flow node" not in failure.context or failure.character not in (",", "]", "}"):
        return None
    message = f'a value is missing before "{failure.character}"'
    return _Cause(failure.line, failure.column, message, "delete one comma")


def _unclosed_quote(failure: _Failure) -> _Cause | None:
    if "quoted scalar" not in failure.context:
        return None
    return _Cause(*failure.opened, "the quote opened here is never closed", "add the closing quote")


def _missing_colon(failure: _Failure) -> _Cause | None:
    if "could not find expected ':'" not in failure.problem:
        return None
    return _Cause(*failure.opened, 'a ":", or the space after it, is missing here', 'write "key: value"')


def _second_colon(failure: _Failure) -> _Cause | None:
    if "mapping values are not allowed" not in failure.problem or len(re.findall(r":(?:\s|$)", failure.here)) < 2:
        return None
    fix = 'put the value in quotes, or start a new line after the first ":"'
    return _Cause(failure.line, failure.column, 'a second ":" on one line', fix)


def _reserved_character(failure: _Failure) -> _Cause | None:
    if "cannot start any token" not in failure.problem:
        return None
    message = f'"{failure.character}" cannot start a value'
    return _Cause(failure.line, failure.column, message, "put the value in quotes")


def _directive(failure: _Failure) -> _Cause | None:
    if not failure.here.startswith("%"):
        return None
    return _Cause(failure.line, 1, "YAML directives are not accepted", "delete the line")


def _unopened_bracket(failure: _Failure) -> _Cause | None:
    if failure.character not in ("]", "}"):
        return None
    return _Cause(failure.line, failure.column, f'"{failure.character}" closes nothing that is open', "delete it")


def _dash_among_keys(failure: _Failure) -> _Cause | None:
    if not re.match(r"-(?:\s|$)", failure.here[failure.column - 1 :]):
        return None
    message = '"-" starts a list on a level of keys'
    return _Cause(failure.line, failure.column, message, 'delete the "-", or indent the list')


def _text_after_quote(failure: _Failure) -> _Cause | None:
    if not failure.here[: failure.column - 1].rstrip().endswith(("'", '"')):
        return None
    return _Cause(failure.line, failure.column, "text follows the closing quote", "put the whole value in quotes")


def _indentation(failure: _Failure) -> _Cause | None:
    second_level = "mapping values are not allowed" in failure.problem
    if not second_level and "did not find expected" not in failure.problem and "block end" not in failure.problem:
        return None
    column = indent_of(failure.here) + 1 if second_level else failure.column
    message = "the indentation does not fit the lines above"
    return _Cause(failure.line, column, message, "let keys of one level start in the same column")


def _anything_else(failure: _Failure) -> _Cause:
    message = f"not YAML: {failure.problem}"
    return _Cause(failure.line, failure.column, message, "compare it with inventory/home-company.yaml")


_EXPLANATIONS: tuple[Callable[[_Failure], _Cause | None], ...] = (
    _indented_by_other_than_spaces,
    _unquoted_ipv6_endpoint,
    _alias,
    _escape,
    _unclosed_bracket,
    _bracket_at_the_end,
    _missing_value,
    _unclosed_quote,
    _missing_colon,
    _second_colon,
    _reserved_character,
    _directive,
    _unopened_bracket,
    _dash_among_keys,
    _text_after_quote,
    _indentation,
    _anything_else,
)
"""The first that applies explains a failure: the more specific come first."""
