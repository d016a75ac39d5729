"""Value objects: immutable to the type checker, and at run time where WGORCH_STRICT is set."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

STRICT = bool(os.environ.get("WGORCH_STRICT"))
"""Assigning to a field of a value raises FrozenInstanceError; every test run sets it."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Define a dataclass that is compared and hashed by its fields, and is never assigned to.

    `dataclass` compiles each method that it adds, 0.1 ms apiece and a fifth of `wgorch check`: only `__init__` is
    worth it. A frozen one is four times as slow to create; only strict runs pay for it.
    """
    made = dataclass(frozen=STRICT, repr=False, eq=False)(cls)
    compared = [each.name for each in fields(made) if each.compare]  # type: ignore[arg-type]
    key = attrgetter(*compared) if compared else _nothing

    def equal(self: Any, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(key(self))

    for name, method in (("__eq__", equal), ("__hash__", hashed), ("__repr__", _repr)):
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _nothing(_value: object) -> None:
    """All values without fields are equal."""


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"
