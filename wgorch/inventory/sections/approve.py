"""The section approve: how many people must sign a plan before it is applied."""

from __future__ import annotations

from wgorch.base.text import count
from wgorch.inventory import schema
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.nodes import Node
from wgorch.inventory.sections.reading import Reading


def approval_rule(node: Node | None, reading: Reading) -> ApprovalRule | None:
    """Read the section; None without it, or where a problem was added."""
    mapping = reading.mapping(node, "approve")
    if mapping is None:
        return None
    given = reading.record(mapping, schema.APPROVE, "approve")
    if "needs" not in given or "signers" not in given:
        return None
    rule = ApprovalRule(given["needs"], given["signers"], given.get("revoked", ()))
    if not rule.may_be_met:
        what = f"{count(rule.needs, 'approval')}, and the file has {count(rule.most, 'signer')}"
        reading.problems.add(mapping.get("needs"), "approve.needs", what, "ask for fewer, or add signers")
    return rule
