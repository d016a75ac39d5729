"""Every kind of host that a test of the lab speaks of, as the table in docs/hosts.md.

A test says so by ``@pytest.mark.kind(KIND, BECOMES, LIMIT)``: what the host is; "works", "works with a
limit" or "refused"; and how, its limit, or its words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "hosts.md"


class Kind(NamedTuple):
    """A kind of host, what becomes of it, its limit or the words of its refusal, and the test that shows it."""

    name: str
    becomes: str
    limit: str
    test: str


def kinds() -> Iterator[Kind]:
    """All of them, in the order of the files."""
    for path in sorted(HERE.glob("test_*.py")):
        for function in ast.parse(path.read_text()).body:
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in (node for part in function.decorator_list for node in ast.walk(part)):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.kind":
                    words = [str(ast.literal_eval(word)) for word in call.args]
                    yield Kind(*words, *[""] * (3 - len(words)), f"{path.stem}: {function.name}")


def table() -> str:
    """The table for docs/hosts.md."""
    rows = ["| host | | | shown by |", "| --- | --- | --- | --- |"]
    for name, becomes, limit, test in kinds():
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (name, becomes, limit, f"`{test}`")) + " |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """docs/hosts.md with a fresh table."""
    fresh = f"<!-- kinds -->\n{table()}<!-- /kinds -->"
    return re.sub(r"<!-- kinds -->.*<!-- /kinds -->", lambda _: fresh, PAGE.read_text(), flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page())
