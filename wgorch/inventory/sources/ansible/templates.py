"""Replace the templates of Ansible that are only a name; every other one is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.sources.ansible.groups import Groups, Variables

MAX_DEPTH = 10

MAX_LENGTH = 10_000

_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.S)
_GROUP = r"groups(?:\.(\w+)|\[\s*['\"]([^'\"]+)['\"]\s*\])\[\s*([0-9]{1,4})\s*\]"
_OF_HOST = re.compile(rf"hostvars\[\s*(?:['\"]([^'\"]+)['\"]|{_GROUP})\s*\](?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\])")
_MEMBER = re.compile(_GROUP)
_DEFAULT = re.compile(r"(.+?)\s*\|\s*default\(\s*(?:'([^']*)'|\"([^\"]*)\"|([\w.]+))\s*(?:,\s*(?:true|True)\s*)?\)")


class Unreadable(Exception):
    """Raised for a value that says more than an inventory can hold."""


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
        return _TEMPLATE.sub(lambda hit: self._value(hit[1], host, depth), text)

    def _value(self, name: str, host: str, depth: int) -> str:
        if hit := _DEFAULT.fullmatch(name):
            try:
                return self._value(hit[1], host, depth) or next(
                    text for text in (*hit.groups()[1:], "") if text is not None
                )
            except Unreadable:
                return next(text for text in hit.groups()[1:] if text is not None)
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
        if not re.fullmatch(r"\w+", name):
            raise Unreadable(f"is a template of more than names: {name}")
        found = self._hosts.get(owner, {}).get(name)
        if found is None and name == "ansible_host" and owner in self._hosts:
            return owner
        if found is None or not isinstance(found[1], Scalar):
            raise Unreadable(f"names a variable that {owner} does not have as a text: {name}")
        return self.text(found[1].text, owner, depth + 1)

    def _member(self, group: str, number: str) -> str:
        members = list(self._groups.all_members(group))
        if int(number) >= len(members):
            raise Unreadable(f"names host {number} of the group {group}, which has {len(members)}")
        return members[int(number)]
