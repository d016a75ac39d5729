"""Replace the templates of Ansible that are only a name; every other one is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.sources.ansible.groups import Groups, Variables

MAX_DEPTH = 10

MAX_LENGTH = 10_000

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.S)
_GROUP = r"groups(?:\.(\w+)|\[\s*['\"]([^'\"]+)['\"]\s*\])\[\s*([0-9]{1,4})\s*\]"
_OF_HOST = re.compile(rf"hostvars\[\s*(?:['\"]([^'\"]+)['\"]|{_GROUP})\s*\](?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\])")
_MEMBER = re.compile(_GROUP)
_DEFAULT = re.compile(
    r"(?P<name>[^|]+?)\s*\|\s*default\(\s*(?:'(?P<one>[^']*)'|\"(?P<two>[^\"]*)\"|(?P<word>\w+))"
    r"\s*(?P<empty>,\s*(?:true|True)\s*)?\)"
)


class Unreadable(Exception):
    """Raised for a value that says more than an inventory can hold."""


class Undefined(Unreadable):
    """Raised for the name of a variable that a host does not have."""


class Templates:
    """The variables of all hosts, with what Ansible itself adds.

    Read are names, `inventory_hostname`, `inventory_dir`, hostvars['HOST'].NAME, groups['GROUP'][0], and default(VALUE).
    """

    def __init__(self, groups: Groups, hosts: Mapping[str, Variables]) -> None:
        self._groups, self._hosts = groups, hosts

    def filled(self, node: Node, host: str) -> Node:
        """A value of a host with its templates replaced. Raises Unreadable."""
        if isinstance(node, Scalar):
            return node._replace(text=self.text(node.text, host))
        if isinstance(node, Sequence):
            return node._replace(items=[self.filled(item, host) for item in node.items])
        return node._replace(items=[(key, self.filled(value, host)) for key, value in node.items])

    def text(self, text: str, host: str, depth: int = 0) -> str:
        """A text with its templates replaced. Raises Unreadable."""
        if text.startswith("$ANSIBLE_VAULT"):
            raise Unreadable("is encrypted by ansible-vault")
        if text.startswith("{{") and "}}" not in text:
            raise Unreadable("is half a template: quote it")
        if "{%" in text or depth > MAX_DEPTH or len(text) > MAX_LENGTH:
            raise Unreadable("is a template of more than names")
        parts, length, end = [], 0, 0
        for hit in _TEMPLATE.finditer(text):
            parts += [text[end : hit.start()], self._value(hit[1].strip("-").strip(), host, depth)]
            length, end = length + len(parts[-1]), hit.end()
            if length > MAX_LENGTH:
                raise Unreadable("is a template that makes too long a text")
        return "".join([*parts, text[end:]])

    def _value(self, name: str, host: str, depth: int) -> str:
        if hit := _DEFAULT.fullmatch(name):
            return self._with_default(hit, host, depth)
        if name == "inventory_hostname":
            return host
        if name == "inventory_dir":
            return str(Path(self._groups.places[host].file).parent)
        if hit := _MEMBER.fullmatch(name):
            return self._member(hit[1] or hit[2], hit[3])
        if name == "inventory_hostname_short":
            return host.partition(".")[0]
        owner = host
        if hit := _OF_HOST.fullmatch(name):
            owner, name = hit[1] or self._member(hit[2] or hit[3], hit[4]), hit[5] or hit[6]
            if name == "inventory_hostname":
                return owner
        if not re.fullmatch(r"\w{1,100}", name):
            raise Unreadable("is a template of more than names")
        found = self._hosts.get(owner, {}).get(name)
        if found is None and name == "ansible_host" and owner in self._hosts:
            return owner
        if found is None:
            raise Undefined(f"names a variable that {owner} does not have: {name}")
        if not isinstance(found[1], Scalar):
            raise Unreadable(f"names a variable that is no text: {name}")
        return self.text(found[1].text, owner, depth + 1)

    def _with_default(self, hit: re.Match[str], host: str, depth: int) -> str:
        """A value, or what stands for one that is not defined; with a second argument also for an empty one."""
        try:
            text = self._value(hit["name"], host, depth)
            if text or not hit["empty"]:
                return text
        except Undefined:
            pass
        if hit["word"] is None:
            return str(hit["one"] if hit["one"] is not None else hit["two"])
        if hit["word"] == "omit":
            return ""
        return str(hit["word"]) if hit["word"].isdecimal() else self._value(hit["word"], host, depth)

    def _member(self, group: str, number: str) -> str:
        members = list(self._groups.all_members(group))
        if int(number) >= len(members):
            raise Unreadable(f"names host {number} of the group {group}, which has {len(members)}")
        return members[int(number)]
