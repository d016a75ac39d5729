"""Value objects: immutable to the type checker, and at run time where WGORCH_STRICT is set."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

STRICT = bool(os.environ.get("WGORCH_STRICT"))
"""Assigning to a field of a value raises FrozenInstanceError; every test run sets it."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Define a dataclass that is compared and hashed by its fields, and is never assigned to.

    A frozen dataclass takes twice as long to define and four times as long to create, a tenth of `wgorch check`: only
    strict runs pay for it. A `__repr__` of its own would take each class 0.14 ms.
    """
    made = dataclass(frozen=True, repr=False)(cls) if STRICT else dataclass(unsafe_hash=True, repr=False)(cls)
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _repr  # type: ignore[method-assign]
    return made


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"
