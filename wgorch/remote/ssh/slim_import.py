"""Import fabric and paramiko without modules that they load but wgorch never uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def slim_import() -> Iterator[None]:
    """While fabric and paramiko are imported: without what they load for nothing.

    That is ``unittest.mock``, and with it asyncio and ssl, for a class that helps to test tasks of invoke; a second copy
    of yaml; and, only to learn paramiko's own version, all that reads e-mails and archives: a third of the time until the
    first connection, and some MiB. Servers are told SSH-2.0-paramiko_wgorch instead of that version.
    """
    instead: dict[str, ModuleType] = {"importlib.metadata": ModuleType("importlib.metadata")}
    instead["importlib.metadata"].version = lambda _name: "wgorch"  # type: ignore[attr-defined]
    if "asyncio" not in sys.modules:
        instead["unittest.mock"] = ModuleType("unittest.mock")
        instead["unittest.mock"].__getattr__ = lambda _name: object  # type: ignore[method-assign]
    if "yaml" in sys.modules:
        instead["invoke.vendor.yaml"] = sys.modules["yaml"]
    instead = {name: module for name, module in instead.items() if name not in sys.modules}
    sys.modules.update(instead)
    try:
        yield
    finally:
        for name in instead:
            del sys.modules[name]
