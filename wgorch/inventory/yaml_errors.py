"""Explain YAML syntax errors in words."""

from __future__ import annotations

import re

import yaml

from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import BREAKS, Problems, indent_of


def add_yaml_error(error: yaml.MarkedYAMLError, text: str, problems: Problems) -> None:
    """What the parser stumbled over, in the words of somebody who types an inventory."""
    mark = error.problem_mark or error.context_mark
    source = BREAKS.split(text)
    line, column = _inside(mark, source)
    opened = _inside(error.context_mark, source) if error.context_mark else (line, column)
    problem, context = error.problem or "not YAML", error.context or ""
    here = source[line - 1]
    at = here[column - 1 : column]
    address = re.search(r"(?<![\"'\[])\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]:?\d*", here)
    odd = next(
        (n for n in (line, line - 1, line - 2) if n > 0 and source[n - 1][: indent_of(source[n - 1])].strip(" ")), None
    )

    def tell(place: tuple[int, int], message: str, fix: str) -> None:
        problems.add(Scalar(*place, "", True), "", message, fix)

    if odd is not None:
        found = re.match(" *(.)", source[odd - 1])
        assert found
        what = "a tab is" if found[1] == "\t" else f"the character U+{ord(found[1]):04X}, which looks like a space, is"
        tell((odd, found.start(1) + 1), f"{what} used for indentation", "use spaces")
    elif address:
        tell((line, address.start() + 1), "YAML reads [..] as a list", f'put it in quotes: "{address[0]}"')
    elif "alias" in context or "anchor" in context:
        tell(
            opened,
            f'"{here[opened[1] - 1 : opened[1]]}" stands for aliases and anchors, which are not accepted',
            "put the value in quotes",
        )
    elif "escape" in problem:
        tell((line, column), "a backslash begins something that YAML does not know", "put the value in single quotes")
    elif "flow sequence" in context or "flow mapping" in context:
        bracket, closing, kind = ("[", "]", "list") if "sequence" in context else ("{", "}", "mapping")
        tell(
            opened, f'the {kind} opened here with "{bracket}" is never closed with "{closing}"', f'add the "{closing}"'
        )
    elif "flow node" in context and not here[column - 1 :].strip() and re.search(r"[\[{]\s*$", text):
        last = BREAKS.split(text.rstrip())
        bracket = last[-1][-1]
        tell((len(last), len(last[-1])), f'"{bracket}" is opened here and never closed', "close it, or delete it")
    elif "flow node" in context and at in (",", "]", "}"):
        tell((line, column), f'a value is missing before "{at}"', "delete one comma")
    elif "quoted scalar" in context:
        tell(opened, "the quote opened here is never closed", "add the closing quote")
    elif "could not find expected ':'" in problem:
        tell(opened, 'a ":", or the space after it, is missing here', 'write "key: value"')
    elif "mapping values are not allowed" in problem and len(re.findall(r":(?:\s|$)", here)) > 1:
        tell(
            (line, column),
            'a second ":" on one line',
            'put the value in quotes, or start a new line after the first ":"',
        )
    elif "cannot start any token" in problem:
        tell((line, column), f'"{at}" cannot start a value', "put the value in quotes")
    elif here.startswith("%"):
        tell((line, 1), "YAML's directives are not accepted", "delete the line")
    elif at in ("]", "}"):
        tell((line, column), f'"{at}" closes nothing that is open', "delete it")
    elif re.match(r"-(?:\s|$)", here[column - 1 :]):
        tell((line, column), '"-" starts a list, but keys stand on this level', 'delete the "-", or indent the list')
    elif here[: column - 1].rstrip().endswith(("'", '"')):
        tell((line, column), "text follows the closing quote", "put the whole value in quotes")
    elif "did not find expected" in problem or "block end" in problem or "mapping values are not allowed" in problem:
        place = (line, indent_of(here) + 1) if "mapping values" in problem else (line, column)
        tell(place, "the indentation does not fit the lines above", "let keys of one level start in the same column")
    else:
        tell((line, column), f"not YAML: {problem}", "compare it with inventory/home-company.yaml")


def _inside(mark: yaml.Mark | None, source: list[str]) -> tuple[int, int]:
    """A mark as line and column; the end of the file is the end of its last line."""
    if mark is None:
        return 1, 1
    if mark.line >= len(source) or (mark.line == len(source) - 1 and not source[-1] and len(source) > 1):
        last = max(i for i, text in enumerate(source, 1) if text or i == 1)
        return last, len(source[last - 1]) + 1
    return mark.line + 1, min(mark.column, len(source[mark.line])) + 1
