"""NetBox as source: recorded answers of its API, of both forms of a prefix's site, in pages; and answers that are none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request

import pytest

from tests.inventory.sources.inventories import HUB, NETWORK, allow, folder, own_home, read, refused
from wgorch.inventory.sources import netbox

__all__ = ["folder", "own_home"]

URL = "https://netbox.example"
MAIN = NETWORK + f"from: {{netbox: {URL}, tag: wgorch, token: {{env: WGORCH_TEST_TOKEN}}, timeout: 5s}}\n" + HUB


def device(number: int, name: str, address: str | None, site: int, **custom: Any) -> dict[str, Any]:
    """A device as NetBox lists it, with the fields that matter and some that do not."""
    return {
        "id": number,
        "url": f"{URL}/api/dcim/devices/{number}/",
        "name": name,
        "device_type": {"id": 3, "model": "APU2"},
        "site": {"id": site, "name": f"Site {site}", "slug": f"site-{site}"},
        "status": {"value": "active", "label": "Active"},
        "primary_ip": {"id": 1, "address": address, "family": {"value": 4}} if address else None,
        "primary_ip4": {"id": 1, "address": address} if address and ":" not in address else None,
        "primary_ip6": {"id": 1, "address": address} if address and ":" in address else None,
        "tags": [{"id": 1, "name": "wgorch", "slug": "wgorch"}],
        "custom_fields": {"cost_center": "4711", **custom},
    }


def prefix(text: str, site: int, *, old: bool = False, status: str = "active") -> dict[str, Any]:
    """A prefix: until 4.1 it has a site, since then a scope."""
    place: dict[str, Any] = (
        {"site": {"id": site, "name": "x"}}
        if old
        else {"scope_type": "dcim.site", "scope_id": site, "scope": {"id": site, "name": "x"}}
    )
    return {"id": 9, "prefix": text, "family": {"value": 4}, "status": {"value": status, "label": status}, **place}


DEVICES = [
    device(1, "GW-Berlin", "198.51.100.7/24", 10, wgorch_endpoint="198.51.100.7:51820", wgorch_relay=None),
    device(2, "gw-oslo", "2001:db8::7/64", 20, wgorch={"masquerade": False, "mtu": 1380}),
    device(3, "gw-rome.example", None, 30, wgorch_ssh="admin@rome.example:2222", wgorch_subnets='["10.30.0.0/24"]'),
]
PREFIXES = [
    prefix("10.10.0.0/16", 10),
    prefix("10.10.5.0/24", 10),
    prefix("10.0.0.0/8", 10, status="container"),
    prefix("10.20.0.0/24", 20, old=True),
    prefix("10.20.1.0/24", 20, old=True),
    prefix("10.30.9.0/24", 30),
]


class Answer(BytesIO):
    """What urllib gives for one request."""


class NetBox:
    """Answers of an API, page by page, and the requests that it saw."""

    def __init__(self, page: int = 2, lists: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.page = page
        self.lists = {"dcim/devices": DEVICES, "ipam/prefixes": PREFIXES} if lists is None else lists
        self.seen: list[Request] = []

    def __call__(self, *_handlers: object) -> NetBox:
        return self

    def open(self, request: Request, timeout: float) -> Answer:
        assert 0 < timeout <= 5
        self.seen.append(request)
        parts = urlsplit(request.full_url)
        query = parse_qs(parts.query)
        assert query["tag"] == ["wgorch"]
        objects = self.lists[parts.path.removeprefix("/api/").strip("/")]
        offset = int(query.get("offset", ["0"])[0])
        following = None
        if offset + self.page < len(objects):
            rest = "&".join(part for part in parts.query.split("&") if not part.startswith("offset="))
            # As NetBox behind a proxy that does not tell it its own name.
            following = f"http://10.0.0.1:8000{parts.path}?{rest}&offset={offset + self.page}"
        page = objects[offset : offset + self.page]
        return Answer(json.dumps({"count": len(objects), "next": following, "results": page}).encode())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Let something answer in place of the network."""
    monkeypatch.setenv("WGORCH_TEST_TOKEN", "t0ken")

    def answering(api: Any) -> Any:
        monkeypatch.setattr(netbox, "build_opener", lambda *_handlers: api)
        return api

    return answering


@pytest.mark.parametrize("page", [1, 2, 50])
def test_devices_become_hosts_and_the_prefixes_of_their_sites_lans(
    page: int, folder: Path, answers: Callable[[Any], Any]
) -> None:
    api = answers(NetBox(page))
    found = read(folder, {"inventory.yaml": MAIN})
    hosts = found.hosts
    assert list(hosts) == ["hub", "gw-berlin", "gw-oslo", "gw-rome-example"]
    assert (hosts["gw-berlin"].ssh.host, str(hosts["gw-berlin"].endpoint)) == ("198.51.100.7", "198.51.100.7:51820")
    assert [[str(lan) for lan in host.subnets] for host in hosts.values()] == [
        [],
        ["10.10.0.0/16"],
        ["10.20.0.0/24", "10.20.1.0/24"],
        ["10.30.0.0/24"],
    ]
    oslo, rome = hosts["gw-oslo"], hosts["gw-rome-example"]
    assert (oslo.ssh.host, oslo.masquerade, oslo.mtu) == ("2001:db8::7", False, 1380)
    assert (rome.ssh.user, rome.ssh.host, rome.ssh.port) == ("admin", "rome.example", 2222)
    assert {request.get_header("Authorization") for request in api.seen} == {"Token t0ken"}
    assert {urlsplit(request.full_url)[:2] for request in api.seen} == {("https", "netbox.example")}


def test_a_token_of_version_2_has_another_scheme(
    folder: Path, answers: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = answers(NetBox())
    monkeypatch.setenv("WGORCH_TEST_TOKEN", "nbt_abc.def\n")
    read(folder, {"inventory.yaml": MAIN})
    assert {request.get_header("Authorization") for request in api.seen} == {"Bearer nbt_abc.def"}


def test_a_token_goes_only_where_the_person_binds_it(
    folder: Path, own_home: Path, answers: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN", "own")
    api = answers(NetBox())
    found = refused(folder, {"inventory.yaml": MAIN}, run_sources=False)
    assert "from[0].netbox: is not asked: only you can allow it" in found[0]
    assert f"HERE: {{netbox: {{{URL}: {{env: NETBOX_TOKEN}}}}}}" in found[0]
    for other in ("http://netbox.example", "https://netbox.example:8443", "https://netbox.example.org"):
        allow(own_home, f"{folder}: {{netbox: {{'{other}': {{env: OWN}}}}}}\n")
        assert "is not asked" in refused(folder, {"inventory.yaml": MAIN}, run_sources=False)[0]
    assert api.seen == []

    allow(own_home, f"{folder}: {{netbox: {{{URL}: {{env: OWN}}}}}}\n")
    read(folder, {"inventory.yaml": MAIN}, run_sources=False)
    assert {request.get_header("Authorization") for request in api.seen} == {"Token own"}
    api.seen.clear()
    allow(own_home, f"{folder}: {{netbox: {{{URL}: }}}}\n")  # to be asked, and without a token
    read(folder, {"inventory.yaml": MAIN}, run_sources=False)
    assert {request.get_header("Authorization") for request in api.seen} == {None}


TOKENS = {
    "{env: WGORCH_TEST_NONE}": "the variable WGORCH_TEST_NONE is empty",
    "{file: none}": "the file none: No such file or directory",
    "{command: [cat, none]}": "the command cat none ended with 1",
    "{command: [sleep, '60']}": "the command sleep 60 took longer than 1 s",
    "{command: [echo, a b]}": "the command echo a b is not one word of ASCII",
}


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_that_cannot_be_had_is_an_error(token: str, folder: Path, answers: Callable[[Any], Any]) -> None:
    api = answers(NetBox())
    text = MAIN.replace("{env: WGORCH_TEST_TOKEN}", token).replace("5s", "1s")
    assert f"from[0].token: {TOKENS[token]}" in refused(folder, {"inventory.yaml": text})[0]
    assert api.seen == []


OBJECTS = {
    "no name": ([device(7, "", "192.0.2.1/24", 1)], f"{URL}/dcim/devices/7/: error: makes no name of a host"),
    "no address": ([device(7, "a", None, 1)], f"{URL}/dcim/devices/7/: error: a: has no primary address"),
    "a field that no host has": (
        [device(7, "a", "192.0.2.1/24", 1, wgorch_subnet="x")],
        f'{URL}/dcim/devices/7/: error: hosts.a.subnet: unknown field. Did you mean "subnets"?',
    ),
    "a value": (
        [device(7, "a", "192.0.2.1/24", 1, wgorch_mtu=9000)],
        f"{URL}/dcim/devices/7/: error: hosts.a.mtu: 9000 is above 1500",
    ),
    "a name twice": (
        [device(7, "a", "192.0.2.1/24", 1), device(8, "A", "192.0.2.2/24", 1)],
        f"{URL}/dcim/devices/8/: error: hosts.a: ",
    ),
    "none": ([], "from[0]: https://netbox.example wgorch gives no host and no device"),
    "odd kinds": (
        [{"id": "7", "name": ["a"], "site": 3, "primary_ip4": "x", "custom_fields": 7}],
        f"{URL}/dcim/devices/7/: error: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OBJECTS)
def test_what_is_wrong_with_an_object_is_told_with_its_url(
    case: str, folder: Path, answers: Callable[[Any], Any]
) -> None:
    objects, expected = OBJECTS[case]
    answers(NetBox(lists={"dcim/devices": objects, "ipam/prefixes": []}))
    found = refused(folder, {"inventory.yaml": MAIN})
    assert any(expected in problem for problem in found), found


def raising(error: BaseException) -> Any:
    class Opener:
        def open(self, request: Request, timeout: float) -> Answer:
            raise error

    return Opener()


def giving(text: bytes) -> Any:
    class Opener:
        def open(self, request: Request, timeout: float) -> Answer:
            return Answer(text)

    return Opener()


class Endless:
    """A list whose next page is always another one."""

    count = 0

    def open(self, request: Request, timeout: float) -> Answer:
        self.count += 1
        return Answer(json.dumps({"next": f"{URL}/api/x/?offset={self.count}", "results": []}).encode())


class Dripping:
    """An answer that never ends its headers."""

    def open(self, request: Request, timeout: float) -> Answer:
        time.sleep(30)
        return Answer(b"")


def test_headers_that_drip_end_with_the_timeout(folder: Path, answers: Callable[[Any], Any]) -> None:
    answers(Dripping())
    began = time.monotonic()
    assert "took longer than 1 s" in refused(folder, {"inventory.yaml": MAIN.replace("5s", "1s")})[0]
    assert time.monotonic() - began < 10


def test_many_prefixes_take_no_time() -> None:
    texts = [f"10.{n // 250}.{n % 250}.0/24" for n in range(8000)] + ["10.3.0.0/16", "not one", "fd00::/8", "fd01::/16"]
    began = time.monotonic()
    found = list(netbox._outermost(texts))
    assert time.monotonic() - began < 5
    assert "10.3.7.0/24" not in found
    assert {"10.3.0.0/16", "10.4.7.0/24", "not one", "fd00::/8"} <= {*found}
    assert "fd01::/16" not in found


BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "no such name": (lambda: raising(URLError("Name or service not known")), "cannot be reached: Name or service"),
    "refused": (lambda: raising(HTTPError(URL, 403, "Forbidden", Message(), BytesIO())), "refuses with 403"),
    "not found": (lambda: raising(HTTPError(URL, 404, "", Message(), BytesIO())), "answers with 404"),
    "a tag that is not there": (
        lambda: raising(HTTPError(URL, 400, "", Message(), BytesIO(b'{"tag": ["vpn is not one of the choices."]}'))),
        'answers with 400: {"tag": ["vpn is not one of the choices."]}',
    ),
    "silent": (lambda: raising(TimeoutError()), "took longer than 5 s"),
    "silent while it connects": (lambda: raising(URLError(TimeoutError())), "took longer than 5 s"),
    "cut": (lambda: raising(ConnectionResetError("reset")), "cannot be read: reset"),
    "a web page": (lambda: giving(b"<html>login</html>"), "answers with something that is not JSON"),
    "a list": (lambda: giving(b"[]"), "answers dcim/devices/ otherwise than NetBox does"),
    "texts": (lambda: giving(b'{"results": ["a"]}'), "answers dcim/devices/ otherwise than NetBox does"),
    "deep": (lambda: giving(b"[" * 200_000), "answers with something that is not JSON"),
    "much": (lambda: giving(b" " * (17 << 20)), "gives more than 16 MiB"),
    "no end": (Endless, "gives no end of dcim/devices/"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_an_api_that_fails_is_an_error_that_names_it(case: str, folder: Path, answers: Callable[[Any], Any]) -> None:
    make, expected = BROKEN[case]
    answers(make())
    (found,) = refused(folder, {"inventory.yaml": MAIN})
    assert f"inventory.yaml:2:7: error: from[0].netbox: {expected}" in found
    assert "t0ken" not in found
