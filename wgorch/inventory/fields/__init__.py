"""Fields: how each kind of value is read from the file, and its JSON Schema."""

from wgorch.inventory.fields.addresses import ADDRESS, ENDPOINT, LAN, MACHINE, SUBNET, address, machine, port
from wgorch.inventory.fields.endpoints import ENDPOINTS, Endpoints
from wgorch.inventory.fields.field import Field, InvalidValue
from wgorch.inventory.fields.lists import Listing, OneOrTwo
from wgorch.inventory.fields.mappings import (
    CLIENT,
    FAILOVER,
    KEY_SOURCE,
    MAPPED_LAN,
    PRESHARED_KEYS,
    SSH_DEFAULTS,
    FailoverFields,
    KeySource,
    MappedLan,
    PresharedKeys,
    SshDefaults,
)
from wgorch.inventory.fields.scalars import (
    FLAG,
    HOST_KEY,
    HOST_NAME,
    INTERFACE,
    NETWORK_NAME,
    PATH,
    PUBLIC_KEY,
    TUNNEL_NAME,
    USER_NAME,
    WORD,
    choice_of,
    number,
)
from wgorch.inventory.fields.signers import REVOKED, SIGNERS, Lines
from wgorch.inventory.fields.suggest import check_keys, choice, suggest, suggest_in

Reader = (
    Field
    | Listing
    | OneOrTwo
    | MappedLan
    | KeySource
    | PresharedKeys
    | SshDefaults
    | FailoverFields
    | Lines
    | Endpoints
)
"""Anything that reads a field."""

__all__ = [
    "ADDRESS",
    "CLIENT",
    "ENDPOINT",
    "ENDPOINTS",
    "FAILOVER",
    "FLAG",
    "HOST_KEY",
    "HOST_NAME",
    "INTERFACE",
    "KEY_SOURCE",
    "LAN",
    "MACHINE",
    "MAPPED_LAN",
    "NETWORK_NAME",
    "PATH",
    "PRESHARED_KEYS",
    "PUBLIC_KEY",
    "REVOKED",
    "SIGNERS",
    "SSH_DEFAULTS",
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
    "suggest_in",
]
