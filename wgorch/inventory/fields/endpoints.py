"""The field endpoint: one, or a list of them with the members that each is for."""

from __future__ import annotations

from typing import Any

from wgorch.base.ip import as_ip
from wgorch.inventory.endpoint import Endpoint, Way
from wgorch.inventory.fields.addresses import ENDPOINT
from wgorch.inventory.fields.field import Schema
from wgorch.inventory.fields.scalars import WORD
from wgorch.inventory.fields.suggest import check_keys
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

MAX_WAYS = 16


class Endpoints:
    """An endpoint, or a list of endpoints in the order of preference."""

    kind = "an endpoint, or a list of {address: …} or {lan: …}, each with only: [NAME, …] if it is for some"
    example = "[{lan: 10.1.0.5:51820, only: [berlin]}, {address: 198.51.100.7:51820}]"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        names = {"type": "array", "items": WORD.schema, "minItems": 1}

        def labelled(name: str) -> Schema:
            fields = {name: ENDPOINT.schema, "only": names}
            return {"type": "object", "additionalProperties": False, "required": [name], "properties": fields}

        item = {"anyOf": [ENDPOINT.schema, labelled("address"), labelled("lan")]}
        return {"anyOf": [ENDPOINT.schema, {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_WAYS}]}

    def read(self, node: Node, path: str, problems: Problems) -> Endpoint | list[tuple[Node, Any]] | None:
        """Return the endpoint, or the Ways of a list with their nodes; None if a problem was added."""
        if isinstance(node, Sequence) and _is_ipv6(node):
            ENDPOINT.read(node, path, problems)  # an address in brackets without quotes
            return None
        if not isinstance(node, Sequence):
            found: Endpoint | None = ENDPOINT.read(node, path, problems)
            return found
        if not 0 < len(node.items) <= MAX_WAYS:
            problems.add(node, path, f"expected 1 to {MAX_WAYS} endpoints", self.example)
            return None
        before = problems.count
        ways = [(item, self._way(item, f"{path}[{i}]", problems)) for i, item in enumerate(node.items)]
        return ways if problems.count == before else None

    def _way(self, node: Node, path: str, problems: Problems) -> Way | None:
        if not isinstance(node, Mapping):
            endpoint = ENDPOINT.read(node, path, problems)
            return Way(endpoint) if endpoint else None
        check_keys(node, ("address", "lan", "only"), path, problems)
        kinds = [name for name in ("address", "lan") if node.get(name) is not None]
        if len(kinds) != 1:
            problems.add(node, path, "expected either address or lan", self.example)
            return None
        endpoint = ENDPOINT.read(node.get(kinds[0]) or node, f"{path}.{kinds[0]}", problems)
        only = self._only(node.get("only"), f"{path}.only", problems)
        return Way(endpoint, only, kinds[0] == "lan") if endpoint and only is not None else None

    def _only(self, node: Node | None, path: str, problems: Problems) -> tuple[str, ...] | None:
        if node is None:
            return ()
        if not isinstance(node, Sequence) or not node.items:
            problems.add(node, path, "expected a list of members", "[berlin]")
            return None
        names = [WORD.read(item, f"{path}[{i}]", problems) for i, item in enumerate(node.items)]
        return tuple(names) if all(names) else None


def _is_ipv6(node: Sequence) -> bool:
    """Whether YAML made a list of an address in brackets: ``[2001:db8::1]``, which has no port."""
    return len(node.items) == 1 and isinstance(node.items[0], Scalar) and as_ip(node.items[0].text) is not None


ENDPOINTS = Endpoints()
