"""YAML text as nodes that know where they stand; no tags, aliases, merges or duplicate keys are accepted."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from wgorch.text import visible

MAX_BYTES = 4 << 20
MAX_DEPTH = 20
MAX_NODES = 400_000

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

    def add(self, node: Node | None, path: str, message: str, fix: str = "", *, warning: bool = False) -> None:
        """Note a trouble at a node (or at the start of the file)."""
        line, column = (node.line, node.column) if node else (1, 1)
        self.found.append(Trouble(line, column, path, message, fix, warning))

    @property
    def errors(self) -> list[Trouble]:
        return [t for t in self.found if not t.warning]

    def lines(self, limit: int = 50) -> list[str]:
        """The troubles as text: place, field, what, the line with a caret, how to fix it."""
        source = self.text.split("\n")
        told = [self._tell(t, source) for t in sorted(self.found)[:limit]]
        if len(self.found) > limit:
            told.append(f"{self.name}: … and {len(self.found) - limit} more")
        return told

    def _tell(self, t: Trouble, source: list[str]) -> str:
        kind = "warning" if t.warning else "error"
        path = f"{visible(t.path)}: " if t.path else ""
        told = f"{self.name}:{t.line}:{t.column}: {kind}: {path}{visible(t.message)}"
        if 0 < t.line <= len(source) and source[t.line - 1].strip():
            line = source[t.line - 1]
            # A secret typed by mistake must not be printed back.
            shown = line[: t.column - 1] + "…" if "hidden" in t.message else line
            shown = visible(shown.replace("\t", "→"))[:160]
            told += f"\n    {shown}\n    {' ' * (t.column - 1)}^"
        if t.fix:
            told += f"\n    fix: {visible(t.fix)}"
        return told


def read(text: str, troubles: Troubles) -> Node | None:
    """The root node of a YAML text, or None with the reason noted."""
    troubles.text = text
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        troubles.add(None, "", f"file is {size / (1 << 20):.1f} MiB; the limit is {MAX_BYTES >> 20} MiB")
        return None
    try:
        return _build(text, troubles)
    except yaml.MarkedYAMLError as error:
        _tell_yaml_error(error, text, troubles)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        character = ord(error.character) if isinstance(error.character, str) else error.character
        troubles.add(
            Scalar(line, column, "", True),
            "",
            f"character U+{character:04X} is not allowed in YAML",
            "delete it, or save the file as UTF-8 text",
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
            troubles.add(_at(event), "", f"more than {MAX_NODES} values in one file")
            return None
        node = _node(event, troubles)
        is_key = bool(open_nodes) and isinstance(open_nodes[-1], Mapping) and keys[-1] is None
        if is_key:
            mapping_keys = seen[-1]
            if not isinstance(node, Scalar):
                troubles.add(node, "", "a key must be a word, not a list or a mapping")
                return None
            if node.text == "<<" and node.plain:
                troubles.add(node, "", 'merge keys ("<<") are not accepted', "repeat the values")
            elif node.text in mapping_keys:
                first = mapping_keys[node.text]
                troubles.add(
                    node, "", f'"{node.text}" is given twice (first at {first.line}:{first.column})', "keep one"
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
                troubles.add(node, "", f"nested deeper than {MAX_DEPTH} levels")
                return None
    return root


def _node(event: yaml.Event, troubles: Troubles) -> Node:
    place = _at(event)
    if isinstance(event, yaml.AliasEvent):
        troubles.add(place, "", f'aliases ("*{event.anchor}") are not accepted', "repeat the value")
        return place
    if getattr(event, "anchor", None):
        troubles.add(place, "", f'anchors ("&{event.anchor}") are not accepted', "repeat the value where it is needed")
    tag = getattr(event, "tag", None)
    if tag and tag != "!":
        troubles.add(place, "", f'tags ("{tag}") are not accepted', "delete the tag")
    if isinstance(event, yaml.ScalarEvent):
        place.text, place.plain = event.value, event.style is None
        return place
    cls = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
    return cls(place.line, place.column)


def _at(event: yaml.Event) -> Scalar:
    return Scalar(event.start_mark.line + 1, event.start_mark.column + 1, "", True)


def _tell_yaml_error(error: yaml.MarkedYAMLError, text: str, troubles: Troubles) -> None:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    place = Scalar(line, column, "", True)
    source = text.split("\n")
    problem, context = error.problem or "not YAML", error.context or ""
    at_mark = source[line - 1] if line <= len(source) else ""
    tab_line = next(
        (n for n in (line, line - 1) if 0 < n <= len(source) and "\t" in source[n - 1][: _indent(source[n - 1])]), None
    )
    if tab_line is not None:
        column = source[tab_line - 1].index("\t") + 1
        troubles.add(Scalar(tab_line, column, "", True), "", "a tab is used for indentation", "use spaces")
    elif "flow sequence" in context or "flow mapping" in context:
        opened = error.context_mark
        bracket, closing = ("[", "]") if "sequence" in context else ("{", "}")
        start = Scalar(opened.line + 1, opened.column + 1, "", True) if opened else place
        kind = "list" if bracket == "[" else "mapping"
        troubles.add(start, "", f'the {kind} opened here with "{bracket}" is never closed with "{closing}"')
    elif "quoted scalar" in context:
        opened = error.context_mark
        start = Scalar(opened.line + 1, opened.column + 1, "", True) if opened else place
        troubles.add(start, "", "the quote opened here is never closed", "add the closing quote")
    elif "could not find expected ':'" in problem:
        troubles.add(place, "", 'a ":" is missing on this line or the one before', 'write "key: value"')
    elif "mapping values are not allowed" in problem:
        fix = 'put the value in quotes, or start a new line after the first ":"'
        troubles.add(place, "", 'a second ":" on one line', fix)
    elif "did not find expected" in problem or "block end" in problem or "expected <block end>" in problem:
        fix = "let keys of one level start in the same column"
        troubles.add(place, "", "the indentation does not fit the lines above", fix)
    else:
        troubles.add(place, "", f"not YAML: {problem}" + (f" near {at_mark.strip()!r}" if at_mark.strip() else ""))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
