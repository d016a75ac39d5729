"""Value objects: immutable to the type checker, and at run time where WGORCH_STRICT is set."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")

STRICT = bool(os.environ.get("WGORCH_STRICT"))
"""Assigning to a field of a value raises FrozenInstanceError; every test run sets it."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Define a dataclass that is compared and hashed by its fields, and is never assigned to.

    A frozen dataclass takes twice as long to define and four times as long to create, a tenth of `wgorch check`: only
    strict runs pay for it.
    """
    return dataclass(frozen=True)(cls) if STRICT else dataclass(unsafe_hash=True)(cls)
