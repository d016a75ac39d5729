"""Import fabric and paramiko without modules that they load but wgorch never uses.

That saves a third of the time to the first connection, and some MiB:

- paramiko asks importlib.metadata for its own version, which loads the readers of e-mail and archives;
- invoke loads unittest.mock, and with it asyncio and ssl, for a class that only helps to test invoke's tasks;
- invoke carries its own copy of yaml.
"""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

_ONE_AT_A_TIME = threading.Lock()

ImportStatement = tuple[str, str, tuple[str, ...]]
"""The module that imports, and what: ``from NAME import A, B``."""


def _stubs() -> dict[ImportStatement, Any]:
    """The results of import statements; a module that is loaded already is no loss, and stays real."""
    stubs: dict[ImportStatement, Any] = {}
    if "importlib.metadata" not in sys.modules:
        # Servers see SSH-2.0-paramiko_wgorch in place of paramiko's version.
        metadata = SimpleNamespace(version=lambda _name: "wgorch")
        stubs["paramiko", "importlib", ("metadata",)] = SimpleNamespace(metadata=metadata)
    if "asyncio" not in sys.modules:
        stubs["invoke.context", "unittest.mock", ("Mock",)] = SimpleNamespace(Mock=object)
    if "yaml" in sys.modules:
        stubs["invoke.util", "vendor", ("yaml",)] = SimpleNamespace(yaml=sys.modules["yaml"])
    return stubs


@contextmanager
def slim_import() -> Iterator[None]:
    """Answer three import statements of paramiko and invoke with stubs, and no other one.

    Safe beside imports of other threads: `sys.modules` stays as it is, and a statement is recognized by the module that
    contains it.
    """
    with _ONE_AT_A_TIME:
        stubs, real = _stubs(), builtins.__import__

        def slim(
            name: str,
            globals: Mapping[str, Any] | None = None,
            locals: Mapping[str, Any] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            statement = ((globals or {}).get("__name__", ""), name, tuple(fromlist or ()))
            if statement in stubs:
                return stubs[statement]
            return real(name, globals, locals, fromlist or (), level)

        builtins.__import__ = slim
        try:
            yield
        finally:
            builtins.__import__ = real
