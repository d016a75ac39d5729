"""Read an Ansible inventory in YAML, and files of variables; its tags, anchors and merge keys are read."""

from __future__ import annotations

import yaml

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.groups import Groups, Variables
from wgorch.inventory.sources.ansible.ini import MAX_HOSTS, expanded, with_port

MAX_NODES = 100_000
"""Values of one file, those behind aliases counted each time."""

MAX_DEPTH = 50

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SHOWN_BY = "ansible-inventory -i FILE --list shows what Ansible reads there"


def read_nodes(text: str, file: str, problems: Problems) -> Node | None:
    """The root of a YAML text; None if it is empty, or a problem was added."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        return _Nodes(file).of(root, 0) if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Scalar(mark.line + 1, mark.column + 1, "", True, file) if mark else Scalar(1, 1, "", True, file)
        problems.add(at, "", f"not YAML: {error.problem or error.context}", SHOWN_BY)
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else error.character
        before = text[: max(0, text.find(chr(code)))].split("\n")
        at = Scalar(len(before), len(before[-1]) + 1, "", True, file)
        problems.add(at, "", f"character U+{code:04X} is not allowed in YAML", "delete it")
    except _Bad as error:
        problems.add(Scalar(*error.place, "", True, file), "", str(error), SHOWN_BY)
    except (yaml.YAMLError, ValueError, RecursionError):
        problems.add(Scalar(1, 1, "", True, file), "", "too deep, or too much", SHOWN_BY)
    return None


class _Bad(Exception):
    """Raised for a node that no inventory has."""

    def __init__(self, message: str, node: yaml.Node) -> None:
        super().__init__(message)
        self.place = node.start_mark.line + 1, node.start_mark.column + 1


class _Nodes:
    """PyYAML's nodes, made to those of an inventory."""

    def __init__(self, file: str) -> None:
        self.file, self.count = file, 0

    def of(self, node: yaml.Node, depth: int) -> Node:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise ValueError
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if isinstance(node, yaml.SequenceNode):
            return Sequence(line, column, [self.of(item, depth + 1) for item in node.value], self.file)
        if isinstance(node, yaml.MappingNode):
            return Mapping(line, column, self._pairs(node, depth), self.file)
        assert isinstance(node, yaml.ScalarNode)
        plain = not node.style  # libyaml has an empty text
        null = plain and node.value in ("", "~", "null", "Null", "NULL")
        return Scalar(line, column, "" if null else node.value, plain, self.file)

    def _pairs(self, node: yaml.MappingNode, depth: int) -> list[tuple[Scalar, Node]]:
        """Keys and values; merged ones before the own, which win."""
        found: dict[str, tuple[Scalar, Node]] = {}
        own: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Bad("a key must be a word", key)
            if key.value == "<<" and not key.style:
                for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    merged = self.of(each, depth + 1)
                    for pair in merged.items if isinstance(merged, Mapping) else ():
                        found.setdefault(pair[0].text, pair)
                continue
            name = Scalar(key.start_mark.line + 1, key.start_mark.column + 1, key.value, not key.style, self.file)
            own[key.value] = (name, self.of(value, depth + 1))
        return list((found | own).values())


def read_yaml(root: Mapping, groups: Groups, problems: Problems) -> None:
    """Add what a YAML inventory says."""
    for key, content in root.items:
        _group(key, content, groups, problems, 0)


def _group(key: Scalar, content: Node, groups: Groups, problems: Problems, depth: int) -> None:
    name = key.text
    groups.add_group(name, key)
    if isinstance(content, Scalar) and not content.text:
        return
    if not isinstance(content, Mapping) or depth > MAX_DEPTH:
        problems.add(content, name, "expected a group with hosts, vars or children", SHOWN_BY)
        return
    for part, value in content.items:
        path = f"{name}.{part.text}"
        entries = value.items if isinstance(value, Mapping) else None
        if isinstance(value, Scalar) and not value.text:
            entries = []
        if part.text not in ("hosts", "vars", "children"):
            problems.add(part, path, "is not read", "a group has hosts, vars and children")
        elif entries is None:
            problems.add(value, path, "expected a mapping", SHOWN_BY)
        elif part.text == "vars":
            groups.variables[name].update(variables_of(entries))
        elif part.text == "children":
            for child, its in entries:
                groups.children[name].append(child.text)
                _group(child, its, groups, problems, depth + 1)
        else:
            _hosts(name, entries, groups, problems)


def _hosts(group: str, entries: list[tuple[Scalar, Node]], groups: Groups, problems: Problems) -> None:
    for pattern, its in entries:
        if len(groups.hosts) > MAX_HOSTS:
            problems.add(pattern, f"{group}.hosts", f"more than {MAX_HOSTS} hosts", "split the inventory")
            return
        own = variables_of(its.items) if isinstance(its, Mapping) else {}
        if not isinstance(its, Mapping) and not (isinstance(its, Scalar) and not its.text):
            problems.add(its, f"{group}.hosts.{pattern.text}", "expected variables", "write name: value below the host")
        text, port = with_port(pattern.text)
        mine = {"ansible_port": (pattern, pattern._replace(text=port))} | own if port else own
        for name in expanded(text, pattern, problems):
            groups.add_host(name, group, pattern, mine)


def variables_of(entries: list[tuple[Scalar, Node]]) -> Variables:
    """Keys and values as variables."""
    return {key.text: (key, value) for key, value in entries}
