"""Members of the network from NetBox: devices with a tag, and the prefixes of their sites with the same tag."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from wgorch.base.text import visible
from wgorch.inventory import nodes
from wgorch.inventory.nodes import Node, Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.json_nodes import from_value
from wgorch.inventory.sources.names import PREFIX, host_key
from wgorch.inventory.sources.permission import Permission, origin_of
from wgorch.inventory.sources.section import Source

MAX_BYTES = 16 << 20
"""Of all answers together."""
MAX_PAGES = 500
PAGE = 250
"""Objects asked for at once; NetBox may give fewer."""
SITES = 50
"""Sites asked for at once: they stand in the URL."""

JSON_FIELD = "wgorch"
"""A custom field of type JSON with fields of a host."""


ADDRESSES = ("primary_ip4", "primary_ip6", "primary_ip")


class Refused(Exception):
    """Raised where NetBox does not answer as it should; says why, and what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def read_netbox(source: Source, permission: Permission, problems: Problems) -> nodes.Mapping | None:
    """Ask NetBox for the hosts; None if a problem was added."""
    path, origin = f"{source.path}.netbox", origin_of(source.place) or ""
    if origin not in permission.origins and not permission.everything:
        fix = permission.fix(f"netbox: {{{origin}: {{env: NETBOX_TOKEN}}}}")
        problems.add(source.node, path, "is not asked: only you can allow it", fix)
        return None
    token = permission.origins.get(origin) or (source.token if permission.everything else None)
    before = problems.count
    try:
        secret = token.value(str(permission.folder), source.timeout_s) if token else ""
    except ValueError as error:
        problems.add(source.node, f"{source.path}.token", str(error), "set it, and log in there")
        return None
    try:
        devices, prefixes = _asked(source, secret)
    except Refused as error:
        problems.add(source.node, path, error.message, error.fix)
        return None
    hosts = [pair for each in devices if (pair := _host(each, prefixes, source, problems)) is not None]
    if problems.count > before:
        return None
    at = Scalar(0, 0, "hosts", False, problems.of_source(source.name).name)
    return nodes.Mapping(0, 0, [(at, nodes.Mapping(0, 0, hosts, at.file))], at.file)


def _asked(source: Source, secret: str) -> tuple[list[Mapping[str, Any]], dict[int, list[str]]]:
    """Devices and the LANs of their sites, in time: a server may send its headers byte by byte. Raises Refused."""
    from threading import Thread

    found: list[tuple[list[Mapping[str, Any]], dict[int, list[str]]]] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            client = _Client(source, secret)
            devices = list(client.objects("dcim/devices/", [("tag", source.tag)]))
            found.append((devices, _prefixes(client, source.tag, devices)))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            failed.append(error)

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(source.timeout_s + 1)
    if failed:
        raise failed[0]
    if not found:
        raise Refused(*_late(source.timeout_s))
    return found[0]


def _late(timeout_s: float) -> tuple[str, str]:
    return f"took longer than {timeout_s:g} s", "see why; timeout: 2min gives it longer"


# --- objects


def _prefixes(client: _Client, tag: str, devices: list[Mapping[str, Any]]) -> dict[int, list[str]]:
    """The LANs of each site, without those that lie in another one of it."""
    sites = sorted({site for device in devices if (site := _id(device.get("site"))) is not None})
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(sites), SITES):
        wanted = [("site_id", str(site)) for site in sites[start : start + SITES]]
        for prefix in client.objects("ipam/prefixes/", [("tag", tag), *wanted]):
            # Since 4.2 a prefix has a scope, which may be a site; before, a site.
            scope = prefix.get("scope_id") if prefix.get("scope_type") == "dcim.site" else None
            site = scope if isinstance(scope, int) else _id(prefix.get("site"))
            status = prefix.get("status")
            kind = status.get("value") if isinstance(status, Mapping) else status
            text = prefix.get("prefix")
            if site is not None and isinstance(text, str) and kind not in ("container", "deprecated"):
                found[site].append(text)
    return {site: list(_outermost(its)) for site, its in found.items()}


def _outermost(texts: list[str]) -> Iterator[str]:
    import ipaddress

    def network(text: str) -> Any:
        try:
            return ipaddress.ip_network(text)
        except ValueError:
            return None

    networks = {text: network(text) for text in dict.fromkeys(texts)}
    inner, outer = set[str](), None
    known = [(own.version, int(own.network_address), own.prefixlen, text) for text, own in networks.items() if own]
    for *_, text in sorted(known):
        own = networks[text]
        if outer is not None and outer.version == own.version and own != outer and own.subnet_of(outer):
            inner.add(text)
        else:
            outer = own
    yield from (text for text in networks if text not in inner)


def _id(value: object) -> int | None:
    number = value.get("id") if isinstance(value, Mapping) else None
    return number if isinstance(number, int) else None


def _host(
    device: Mapping[str, Any], prefixes: Mapping[int, list[str]], source: Source, problems: Problems
) -> tuple[Scalar, Node] | None:
    """A device as a host; None if a problem was added."""
    name, number = str(device.get("name") or ""), device.get("id")
    url = f"{source.place}/dcim/devices/{number}/"
    problems.of_source(url)
    at = Scalar(0, 0, name, False, url)
    fields = dict(_custom(device))
    given = {f"{PREFIX}{key}": (at._replace(text=key), from_value(value, at)) for key, value in fields.items()}
    key = host_key(name, at, given, problems)
    fields.pop("name", None)
    address = next(filter(None, (_address(device.get(each)) for each in ADDRESSES)), "")
    if "ssh" not in fields and not address:
        problems.add(at, name, "has no primary address", f"set it there, or the custom field {PREFIX}ssh")
        return None
    fields = {"ssh": {"host": address}} | fields
    site = _id(device.get("site"))
    if "subnets" not in fields and site is not None and prefixes.get(site):
        fields["subnets"] = prefixes[site]
    return (key, from_value(fields, at)) if key else None


def _custom(device: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields of a host in custom fields: those of one in JSON, then each of its own."""
    custom = device.get("custom_fields")
    custom = custom if isinstance(custom, Mapping) else {}
    whole = custom.get(JSON_FIELD)
    yield from whole.items() if isinstance(whole, Mapping) else ()
    for key, value in custom.items():
        if key.startswith(PREFIX) and value not in (None, "", []):
            yield key.removeprefix(PREFIX), _typed(value)


def _typed(value: Any) -> Any:
    """A value of a text field: a list where it is written as one."""
    if isinstance(value, str) and re.fullmatch(r"\s*\[.*\]\s*", value, re.S):
        try:
            return json.loads(value)
        except ValueError:
            return [part.strip() for part in value.strip()[1:-1].split(",") if part.strip()]
    return value


def _address(value: object) -> str:
    text = value.get("address") if isinstance(value, Mapping) else None
    return text.partition("/")[0] if isinstance(text, str) else ""


# --- requests


def _said(error: HTTPError) -> str:
    """What NetBox says of a request that it refuses."""
    try:
        answer = json.loads(error.read(4096))
    except (OSError, ValueError, RecursionError, HTTPException):
        return ""
    return f": {visible(json.dumps(answer))[:200]}" if isinstance(answer, dict) else ""


class _SameOrigin(HTTPRedirectHandler):
    """Follows no redirect that would take the token elsewhere."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if origin_of(newurl) != origin_of(req.full_url):
            raise Refused(f"leads to {origin_of(newurl) or 'another scheme'}", "write the URL that it leads to")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Client:
    """NetBox's REST API, read only."""

    def __init__(self, source: Source, token: str) -> None:
        self.base, self.timeout_s = source.place, source.timeout_s
        self.deadline = time.monotonic() + source.timeout_s
        self.left = MAX_BYTES
        self.headers = {"Accept": "application/json", "User-Agent": "wgorch"}
        if token:
            # Tokens of version 2, since 4.5, have a prefix and another scheme.
            self.headers["Authorization"] = f"{'Bearer' if token.startswith('nbt_') else 'Token'} {token}"
        self.opener = build_opener(_SameOrigin)

    def objects(self, path: str, query: list[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        """Every object of a list, page by page. Raises Refused."""
        text = urlencode([*query, ("limit", str(PAGE))])
        for _ in range(MAX_PAGES):
            answer = self._get(f"{self.base}/api/{path}?{text}")
            results = answer.get("results") if isinstance(answer, dict) else None
            if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
                raise Refused(
                    f"answers {path} otherwise than NetBox does", "name the URL that its web pages begin with"
                )
            yield from results
            following = answer.get("next")
            if not following:
                return
            # Behind a proxy its scheme or host may be another: only what it asks for counts.
            after = str(following).partition("?")[2].partition("#")[0]
            if after == text:
                break
            text = after
        raise Refused(f"gives no end of {path}", "narrow it by another tag")

    def _get(self, url: str) -> Any:
        wait = self.deadline - time.monotonic()
        late = Refused(*_late(self.timeout_s))
        if wait <= 0:
            raise late
        try:
            # Its scheme is one of the web: origin_of.
            with self.opener.open(Request(url, headers=self.headers), timeout=wait) as response:  # noqa: S310
                data = bytearray()
                while chunk := response.read1(65536):
                    data += chunk
                    self.left -= len(chunk)
                    if self.left < 0:
                        raise Refused(f"gives more than {MAX_BYTES >> 20} MiB", "narrow it by another tag")
                    if time.monotonic() > self.deadline:
                        raise late
        except HTTPError as error:
            with error:
                why = _said(error)
            if error.code in (401, 403):
                raise Refused(
                    f"refuses with {error.code}", "give it a token that may read devices and prefixes"
                ) from None
            hint = "correct what it names" if why else "name the URL that its web pages begin with"
            raise Refused(f"answers with {error.code}{why}", hint) from None
        except TimeoutError:
            raise late from None
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise late from None
            raise Refused(f"cannot be reached: {error.reason}", "name the URL that its web pages begin with") from None
        except (OSError, ValueError, HTTPException) as error:
            raise Refused(f"cannot be read: {error or type(error).__name__}", "try again") from None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Refused(
                "answers with something that is not JSON", "name the URL that its web pages begin with"
            ) from None
