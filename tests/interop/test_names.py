"""Names of hosts in generated inventories."""

from __future__ import annotations

import pytest

from tests.interop.hosts import host
from wgorch.interop.names import name_of


@pytest.mark.parametrize(
    ("hostname", "name", "reason"),
    [
        ("bcc", "bcc", "valid as it is"),
        ("home.lan", "home", "without its domain"),
        ("Company_1", "company-1", "other characters become hyphens"),
        ("true", "host", "YAML would read a boolean"),
        ("local", "host", "ssh: local means this machine"),
        ("42", "host", "no letter first"),
        ("", "host", "unknown"),
    ],
)
def test_a_hostname_becomes_a_name(hostname: str, name: str, reason: str) -> None:
    assert name == name_of(host(hostname), set()), reason


def test_a_name_is_given_once() -> None:
    taken: set[str] = set()

    assert ["web", "web-2", "web-3"] == [name_of(host("web"), taken) for _ in range(3)]
    assert {"web", "web-2", "web-3"} == taken
