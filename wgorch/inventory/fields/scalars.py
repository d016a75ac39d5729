"""Single values: numbers, flags, names, keys, paths."""

from __future__ import annotations

import re
from collections.abc import Callable

from wgorch.base.wgkey import public_key
from wgorch.inventory.fields.field import Field, InvalidValue
from wgorch.inventory.nodes import Scalar


def number(low: int, high: int, kind: str = "a number", usual: str = "") -> Field:
    """Define a decimal number within bounds; octal and base-60 numbers of YAML 1.1 are refused."""
    what = f"{kind} {low}-{high}"

    def trap(node: Scalar) -> None:
        if re.fullmatch(r"[-+]?0[0-7]+", node.text):
            raise InvalidValue(f"{node.text} is octal {int(node.text, 8)} in YAML 1.1", node.text.lstrip("+-0") or "0")
        if re.fullmatch(r"[0-9]+(:[0-5]?[0-9])+", node.text):
            value = 0
            for part in node.text.split(":"):
                value = value * 60 + int(part)
            raise InvalidValue(f"{node.text} reads as base-60 number {value} in YAML 1.1", str(value))

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?(0|[1-9][0-9]{0,11})", text):
            raise InvalidValue(
                f'expected {what}, got "{text}"', f"a whole number in decimal{usual and f', usually {usual}'}"
            )
        value = int(text)
        if not low <= value <= high:
            side = "below" if value < low else "above"
            limit = low if value < low else high
            raise InvalidValue(f"{value} is {side} {limit}", f"{what}{usual and f', usually {usual}'}")
        return value

    return Field(what, parse, {"type": "integer", "minimum": low, "maximum": high}, trap)


_UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}


def milliseconds(low: int, high: int, usual: str) -> Field:
    """Define a time within bounds, with its unit, in milliseconds."""
    what = f"{_time(low)} to {_time(high)}"

    def parse(text: str) -> int:
        hit = re.fullmatch(r"([0-9]{1,7})(?:\.([0-9]{1,3}))? ?(ms|s|min|h)", text)
        if not hit:
            raise InvalidValue(f'expected a time with its unit, got "{text}"', f"like {usual}; {what}")
        value = (int(hit[1]) * 1000 + int((hit[2] or "").ljust(3, "0"))) * _UNITS[hit[3]] // 1000
        if not low <= value <= high:
            raise InvalidValue(
                f"{text} is {'below' if value < low else 'above'} {_time(low if value < low else high)}", what
            )
        return value

    return Field("a time", parse, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})? ?(ms|s|min|h)$"})


def _time(value: int) -> str:
    unit = next(unit for unit in reversed(_UNITS) if value % _UNITS[unit] == 0)
    return f"{value // _UNITS[unit]} {unit}"


def _flag(text: str) -> bool:
    if text.lower() in ("true", "yes", "on"):
        return True
    if text.lower() in ("false", "no", "off"):
        return False
    raise InvalidValue(f'expected true or false, got "{text}"', "true or false")


FLAG = Field("true or false", _flag, {"type": "boolean"})


def word(
    kind: str, pattern: str, allowed: str, longest: int, example: str, reserved: Callable[[str], str] | None = None
) -> Field:
    """Define a name: a pattern, its characters in words, and a maximum length.

    `reserved` returns why a name cannot be used, or an empty text.
    """

    def trap(node: Scalar) -> None:
        if node.text.lower() in ("yes", "no", "on", "off", "true", "false", "y", "n"):
            truth = "true" if node.text.lower() in ("yes", "on", "true", "y") else "false"
            raise InvalidValue(f'"{node.text}" reads as the boolean {truth} in YAML 1.1', f'quote it: "{node.text}"')

    def parse(text: str) -> str:
        if text.startswith("-"):
            raise InvalidValue('must not start with "-"', f"like {example}")
        if len(text) > longest:
            raise InvalidValue(f'"{text}" is {len(text)} characters long; at most {longest}', f"like {example}")
        if not re.fullmatch(pattern, text):
            better = text.lower() if re.fullmatch(pattern, text.lower()) else f"like {example}"
            raise InvalidValue(f'"{text}" has characters other than {allowed}', better)
        if reserved and (reason := reserved(text)):
            raise InvalidValue(f'"{text}" {reason}', example)
        return text

    return Field(kind, parse, {"type": "string", "pattern": f"^(?:{pattern})$", "maxLength": longest}, trap)


def _reserved_interface(name: str) -> str:
    usual = re.match(
        r"(lo|all|default|eth|en[opsx]|wlan|wlp|wlx|br|docker|veth|tailscale|tun|tap|bond|virbr)[0-9]*", name
    )
    return "is a reserved or usual system name" if usual else ""


NETWORK_NAME = word("a name", r"[a-z][a-z0-9-]*", "a-z 0-9 - (first a letter)", 15, "office")


HOST_NAME = word("a host name", r"[a-z0-9][a-z0-9-]*", "a-z 0-9 -", 32, "home")


TUNNEL_NAME = word(
    "an interface name", r"[a-zA-Z][a-zA-Z0-9_.-]*", "a-z A-Z 0-9 _ . -", 15, "wg0", reserved=_reserved_interface
)


USER_NAME = word("a user name", r"[\w.+@\\][\w.+@\\$-]*", "letters, digits, and _ . + @ \\ $ -", 64, "root")


_INTERFACE = word("an interface name like ens192", r"[a-zA-Z0-9][a-zA-Z0-9_.@-]*", "a-z A-Z 0-9 _ . -", 15, "ens192")


def _interface(text: str) -> str:
    if "/" in text or re.fullmatch(r"[0-9.:]+", text):
        raise InvalidValue(
            f'expected {_INTERFACE.kind}, got "{text}"', "as `ip link` names it; omit it to detect the interface"
        )
    return str(_INTERFACE.parse(text))


INTERFACE = Field(_INTERFACE.kind, _interface, _INTERFACE.schema, _INTERFACE.trap)


def _host_key(text: str) -> str:
    words = text.split()
    if (
        len(words) >= 2
        and re.fullmatch(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+", words[0])
        and re.fullmatch(r"[A-Za-z0-9+/=]+", words[1])
    ):
        return " ".join(words[:2])
    if re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", text):
        return text.rstrip("=")
    raise InvalidValue(f'"{text}" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"')


HOST_KEY = Field("a host key", _host_key, {"type": "string"})


def _public_key(text: str) -> str:
    try:
        return public_key(text)
    except ValueError as error:
        raise InvalidValue(str(error), "the output of `wg pubkey` on the device") from None


PUBLIC_KEY = Field("a public key", _public_key, {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"})


def _path(text: str) -> str:
    if "PRIVATE KEY" in text:
        raise InvalidValue(
            "a key itself, where its file is expected (value hidden)",
            "like ~/.ssh/id_ed25519; treat this key as leaked",
            secret=True,
        )
    if text.startswith("-"):
        raise InvalidValue('must not start with "-"', "like ~/.ssh/id_ed25519")
    return text


PATH = Field("a path", _path, {"type": "string"})


def choice_of(*words: str) -> Field:
    """Define a choice of words."""

    def parse(text: str) -> str:
        if text not in words:
            raise InvalidValue(f'expected {" or ".join(words)}, got "{text}"', words[0])
        return text

    return Field(" or ".join(words), parse, {"type": "string", "pattern": f"^(?:{'|'.join(words)})$"})


WORD = Field("a word", lambda text: text, {"type": "string"})
