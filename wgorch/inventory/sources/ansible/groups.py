"""Hosts, groups and variables of an Ansible inventory, and which variable wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from wgorch.inventory.nodes import Node, Scalar

Variables = dict[str, tuple[Scalar, Node]]
"""Values by name, each with the place of its name."""

ALL, UNGROUPED = "all", "ungrouped"


@dataclass
class Groups:
    """An inventory as its files have it."""

    hosts: dict[str, Variables] = field(default_factory=dict)
    """Variables beside each host's name."""
    places: dict[str, Scalar] = field(default_factory=dict)
    """Where each host stands first."""
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    children: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    variables: dict[str, Variables] = field(default_factory=lambda: defaultdict(dict))
    """Variables of each group, in the inventory itself."""
    group_vars: dict[str, Variables] = field(default_factory=lambda: defaultdict(dict))
    host_vars: dict[str, Variables] = field(default_factory=lambda: defaultdict(dict))

    group_places: dict[str, Scalar] = field(default_factory=dict)
    """Where each group stands first."""
    _depths: dict[str, int] = field(default_factory=dict)
    configured: Variables = field(default_factory=dict)
    """What a configuration says, which every variable overrules."""
    pending: list[tuple[str, Scalar]] = field(default_factory=list)
    """Names of groups that must be there, and where they stand."""

    def add_group(self, name: str, at: Scalar) -> None:
        """Add a group, maybe without members."""
        self.group_places.setdefault(name, at)
        self.members.setdefault(name, [])

    def undefined(self) -> list[tuple[str, Scalar]]:
        """Groups that are named and not there."""
        known = {*self.group_places, ALL, UNGROUPED}
        return [(name, at) for name, at in self.pending if name not in known]

    def add_host(self, name: str, group: str, at: Scalar, variables: Variables) -> None:
        """Add a host to a group; it may be in several, and its variables add up."""
        self.hosts.setdefault(name, {}).update(variables)
        self.places.setdefault(name, at)
        self.members[group].append(name)

    def resolved(self) -> dict[str, Variables]:
        """The variables of each host, from the weakest to the strongest, as Ansible's documentation orders them."""
        found: dict[str, Variables] = {}
        for host, own in self.hosts.items():
            groups = self._groups_of.get(host, [])
            found[host] = self.configured | self.variables.get(ALL, {})
            for group in groups:
                found[host] |= self.variables.get(group, {})
            found[host] |= self.group_vars.get(ALL, {})
            for group in groups:
                found[host] |= self.group_vars.get(group, {})
            found[host] |= own | self.host_vars.get(host, {})
        return found

    def all_members(self, group: str) -> dict[str, None]:
        """The hosts of a group and of the groups in it, in the order of the file."""
        if group == ALL:
            return dict.fromkeys(self.hosts)
        inside = self._descendants(group)
        return dict.fromkeys(host for each in inside for host in self.members.get(each, ()))

    @cached_property
    def names(self) -> list[str]:
        """All groups but the two that Ansible adds itself."""
        named = [
            *self.group_places,
            *self.members,
            *self.children,
            *(child for its in self.children.values() for child in its),
        ]
        return [name for name in dict.fromkeys(named) if name not in (ALL, UNGROUPED)]

    @cached_property
    def _groups_of(self) -> dict[str, list[str]]:
        """The groups of each host without `all`, the outermost first, so that inner ones win."""
        order = sorted((n for n in self.names), key=lambda n: (self._depth(n), self._priority(n), n))
        found: dict[str, list[str]] = defaultdict(list)
        for group in order:
            for host in self.all_members(group):
                found[host].append(group)
        for host in self.members.get(UNGROUPED, ()):
            if host not in found:
                found[host].append(UNGROUPED)
        return found

    @cached_property
    def _parents(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for parent, children in self.children.items():
            for child in children:
                if parent != ALL:
                    found[child].append(parent)
        return found

    def _depth(self, group: str, seen: frozenset[str] = frozenset()) -> int:
        """Steps from `all`, by the longest way; a circle is named by `circle`."""
        if group not in self._depths:
            parents = [p for p in self._parents[group] if p not in seen and p != group]
            self._depths[group] = 1 + max((self._depth(p, seen | {group}) for p in parents), default=0)
        return self._depths[group]

    def _priority(self, group: str) -> int:
        _, value = self.variables.get(group, {}).get("ansible_group_priority", (None, None))  # not in group_vars
        return int(value.text[:9]) if isinstance(value, Scalar) and value.text.isdecimal() else 1

    def _descendants(self, group: str) -> list[str]:
        found, wanted = [group], [group]
        while wanted:
            for child in self.children.get(wanted.pop(), ()):
                if child not in found:
                    found.append(child)
                    wanted.append(child)
        return found

    def circle(self) -> list[str]:
        """The groups of a circle, if there is one."""
        state: dict[str, int] = {}

        def look(group: str, way: list[str]) -> Iterator[list[str]]:
            state[group] = 1
            for child in self.children.get(group, ()):
                if state.get(child) == 1:
                    way = [*way, group]
                    yield [*way[way.index(child) :], child]
                elif child not in state and len(way) < 200:
                    yield from look(child, [*way, group])
            state[group] = 2

        return next((found for group in list(self.children) if group not in state for found in look(group, [])), [])
