"""YAML text as nodes that know where they stand; no tags, aliases, merges or duplicate keys are accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from wgorch.text import visible, without_keys

MAX_BYTES = 2 << 20
MAX_DEPTH = 20
MAX_NODES = 100_000
MAX_TROUBLES = 1000
SHOWN = 120
"""Characters of a line that are shown with a trouble."""

BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for YAML."""

SECRET = re.compile(r"private|preshared|secret|pass|pwd|psk|token|credential|^key$", re.I)
"""Names of fields whose values are never shown."""

_MAY_BE_SECRET = re.compile(SECRET.pattern.replace("^key$", r"\bkey\b|BEGIN"), re.I)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Scalar:
    """A word or a quoted string; `plain` is true where it was written without quotes."""

    line: int
    column: int
    text: str
    plain: bool


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys and values, in the order of the file."""

    line: int
    column: int
    items: list[tuple[Scalar, Node]] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        """The value of a key, or None."""
        return next((value for name, value in self.items if name.text == key), None)


Node = Scalar | Sequence | Mapping


@dataclass(order=True, slots=True)
class Trouble:
    """One thing wrong at one place of the file."""

    line: int
    column: int
    path: str
    message: str
    fix: str = ""
    warning: bool = False


@dataclass
class Troubles:
    """All that is wrong with one file, so that everything can be told at once."""

    name: str
    text: str = ""
    found: list[Trouble] = field(default_factory=list)
    _refused: set[tuple[int, int, str]] = field(default_factory=set, repr=False)
    _touched: set[str] = field(default_factory=set, repr=False)

    def add(self, node: Node | None, path: str, message: str, fix: str = "", *, warning: bool = False) -> None:
        """Note a trouble at a node (or at the start of the file)."""
        line, column = (node.line, node.column) if node else (1, 1)
        if len(self.found) < MAX_TROUBLES and (line, column, path) not in self._refused:
            self.found.append(Trouble(line, column, path, message, fix, warning))
        while path:
            self._touched.add(path)
            path = path[: max(path.rfind("."), path.rfind("["), 0)]

    def refuse(self, node: Node, path: str, message: str, fix: str) -> None:
        """Note what is not even looked at; nothing more is said of it."""
        self.add(node, path, message, fix)
        self._refused.add((node.line, node.column, path))

    def about(self, path: str) -> bool:
        """True where a field, or something in it, is wrong already."""
        return path in self._touched

    @property
    def errors(self) -> list[Trouble]:
        return [t for t in self.found if not t.warning]

    def lines(self, limit: int = 50) -> list[str]:
        """The troubles as text: place, field, what, the line with a caret, how to fix it."""
        source = BREAKS.split(self.text)
        if _MAY_BE_SECRET.search(self.text):
            source = list(_without_secrets(source))
        told = [self._tell(t, source) for t in sorted(self.found)[:limit]]
        if len(self.found) > limit:
            told.append(f"{self.name}: … and {len(self.found) - limit} more")
        return told

    def _tell(self, t: Trouble, source: list[str]) -> str:
        kind = "warning" if t.warning else "error"
        path = f"{visible(_clip(t.path))}: " if t.path else ""
        told = f"{self.name}:{t.line}:{t.column}: {kind}: {path}{visible(_clip(t.message))}"
        line = source[t.line - 1] if t.line <= len(source) else ""
        if "value hidden" in t.message:
            line = line[: t.column - 1] + "…"
        if line.strip():
            start = max(0, t.column - SHOWN * 2 // 3)
            before, after = line[start : t.column - 1], line[t.column - 1 : start + SHOWN]
            before, after = (visible(part.replace("\t", "→")) for part in (before, after))
            told += f"\n    {before}{after}\n    {' ' * len(before)}^"
        if t.fix:
            told += f"\n    fix: {visible(_clip(t.fix))}"
        return without_keys(told)


def _clip(text: str, most: int = 500) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _without_secrets(lines: list[str]) -> Iterator[str]:
    """The lines of a file, good YAML or not, each ended where a secret begins; what is indented below it is hidden."""
    within: int | None = None
    for line in lines:
        if within is not None and (_indent(line) > within or not line.strip()):
            yield "…" if line.strip() else ""
            continue
        within, shown = None, line
        for found in re.finditer(r"(?<![\w-])([\w-]{1,99})[\"']?\s*[:=]|-----BEGIN", line):
            if found[1] is None or SECRET.search(found[1]):
                within, shown = _indent(line), line[: found.end()] + " …"
                break
        yield shown


def read(text: str, troubles: Troubles) -> Node | None:
    """The root node of a YAML text, or None with the reason noted."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        troubles.add(
            None, "", f"file is {size / (1 << 20):.1f} MiB; the limit is {MAX_BYTES >> 20} MiB", "is it an inventory?"
        )
        return None
    troubles.text = text
    try:
        return _build(text, troubles)
    except yaml.MarkedYAMLError as error:
        _tell_yaml_error(error, text, troubles)
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else error.character
        # libyaml counts bytes here, so the character is looked for.
        before = BREAKS.split(text[: max(0, text.find(chr(code)))])
        place = Scalar(len(before), len(before[-1]) + 1, "", True)
        troubles.add(
            place, "", f"character U+{code:04X} is not allowed in YAML", "delete it, or save the file as UTF-8 text"
        )
    return None


def _build(text: str, troubles: Troubles) -> Node | None:
    root: Node | None = None
    open_nodes: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []
    seen: list[dict[str, Scalar]] = []
    documents = nodes = 0
    event: yaml.Event
    for event in yaml.parse(text, Loader=_Loader):
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            open_nodes.pop()
            keys.pop()
            seen.pop()
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                troubles.add(_at(event), "", "a second document starts here", 'keep one document; delete the "---"')
                return root
        if kind not in (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent):
            continue
        nodes += 1
        if nodes > MAX_NODES:
            troubles.add(_at(event), "", f"more than {MAX_NODES} values in one file", "split the network into several")
            return None
        node = _node(event)
        if problem := _refused(event):
            troubles.refuse(node, _path(open_nodes, keys[-1] if keys else None), *problem)
        is_key = bool(open_nodes) and isinstance(open_nodes[-1], Mapping) and keys[-1] is None
        if is_key:
            mapping_keys = seen[-1]
            if not isinstance(node, Scalar):
                fix = (
                    "write the value itself; templates ({{ … }}) are not read"
                    if isinstance(node, Mapping)
                    else "write key: value"
                )
                troubles.add(node, "", "a key must be a word, not a list or a mapping", fix)
                return None
            if node.text == "<<" and node.plain:
                troubles.refuse(
                    node, _path(open_nodes, node), 'merge keys ("<<") are not accepted', "repeat the values"
                )
            elif node.text in mapping_keys:
                first = mapping_keys[node.text]
                troubles.refuse(
                    node, _path(open_nodes, node), f"given twice (first at {first.line}:{first.column})", "keep one"
                )
            mapping_keys.setdefault(node.text, node)
            keys[-1] = node
            continue
        if not open_nodes:
            root = node
        else:
            parent = open_nodes[-1]
            if isinstance(parent, Mapping):
                key = keys[-1]
                assert key is not None
                parent.items.append((key, node))
                keys[-1] = None
            else:
                parent.items.append(node)
        if isinstance(node, Mapping | Sequence):
            open_nodes.append(node)
            keys.append(None)
            seen.append({})
            if len(open_nodes) > MAX_DEPTH:
                troubles.add(node, "", f"nested deeper than {MAX_DEPTH} levels", "an inventory needs 6 at most")
                return None
    return root


def _path(open_nodes: list[Mapping | Sequence], key: Scalar | None) -> str:
    """The field that is being read: ``hosts.home.subnets[1]``; `key` is the one in the innermost mapping."""
    path = ""
    for node in open_nodes:
        inner = node is open_nodes[-1]
        if isinstance(node, Sequence):
            path += f"[{len(node.items) - (not inner)}]"
            continue
        name = key if inner else node.items[-1][0]
        if name is not None:
            path += f".{name.text}" if path else name.text
    return path


def _refused(event: yaml.Event) -> tuple[str, str] | None:
    """What of YAML is not accepted, and what to do instead."""
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f'aliases ("*{anchor}") are not accepted', "repeat the value"
    if anchor:
        return f'anchors ("&{anchor}") are not accepted', "repeat the value where it is needed"
    if tag:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        return f'tags ("{short}") are not accepted', "delete the tag"
    return None


def _node(event: yaml.Event) -> Node:
    place = _at(event)
    if isinstance(event, yaml.ScalarEvent):
        # A plain scalar's style is None in Python's loader and "" in libyaml's.
        place.text, place.plain = event.value, not event.style
    if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
        return place
    cls = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
    return cls(place.line, place.column)


def _at(event: yaml.Event) -> Scalar:
    mark = event.start_mark
    return Scalar(mark.line + 1, mark.column + 1, "", True) if mark else Scalar(1, 1, "", True)


def _tell_yaml_error(error: yaml.MarkedYAMLError, text: str, troubles: Troubles) -> None:
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
        (n for n in (line, line - 1, line - 2) if n > 0 and source[n - 1][: _indent(source[n - 1])].strip(" ")), None
    )

    def tell(place: tuple[int, int], message: str, fix: str) -> None:
        troubles.add(Scalar(*place, "", True), "", message, fix)

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
        place = (line, _indent(here) + 1) if "mapping values" in problem else (line, column)
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


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
