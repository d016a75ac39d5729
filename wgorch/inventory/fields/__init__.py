"""Grammars of single values: each reads a node or says exactly what is wrong; each is its own JSON Schema."""

from wgorch.inventory.fields.addresses import ADDRESS, ENDPOINT, LAN, MACHINE, SUBNET, address, machine, port
from wgorch.inventory.fields.field import Field, InvalidValue
from wgorch.inventory.fields.lists import KEY_SOURCE, MAPPED_LAN, Listing, OneOrTwo, Reader
from wgorch.inventory.fields.scalars import (
    CARD,
    FLAG,
    HOST_KEY,
    HOST_NAME,
    NETWORK_NAME,
    PATH,
    PUBLIC_KEY,
    TUNNEL_NAME,
    USER_NAME,
    WORD,
    choice_of,
    number,
)
from wgorch.inventory.fields.suggest import check_keys, choice, suggest

__all__ = [
    "ADDRESS",
    "CARD",
    "ENDPOINT",
    "FLAG",
    "HOST_KEY",
    "HOST_NAME",
    "KEY_SOURCE",
    "LAN",
    "MACHINE",
    "MAPPED_LAN",
    "NETWORK_NAME",
    "PATH",
    "PUBLIC_KEY",
    "SUBNET",
    "TUNNEL_NAME",
    "USER_NAME",
    "WORD",
    "Field",
    "InvalidValue",
    "Listing",
    "OneOrTwo",
    "Reader",
    "address",
    "check_keys",
    "choice",
    "choice_of",
    "machine",
    "number",
    "port",
    "suggest",
]
