"""What is only read: values that stay as they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A dataclass that is compared and hashed by what it holds, and that the type checker lets nobody assign to.

    With ``dataclass(value=True)`` the interpreter refuses it, too, for which a class takes three times as long to make,
    which is a tenth of `wgorch check`, and a value several times.
    """
    return dataclass(unsafe_hash=True)(cls)
