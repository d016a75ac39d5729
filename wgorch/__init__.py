"""Build WireGuard networks between sites, over SSH, from one inventory.

For Python programs: `from wgorch import load, plan, up, status, verify, teardown`; see `wgorch.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wgorch.api import (
        Inventory,
        Outcome,
        Status,
        confirm,
        load,
        plan,
        rollback,
        status,
        teardown,
        up,
        verify,
    )

__version__ = "0.2.0.dev0"
__all__ = [
    "Inventory",
    "Outcome",
    "Status",
    "__version__",
    "confirm",
    "load",
    "plan",
    "rollback",
    "status",
    "teardown",
    "up",
    "verify",
]


def __getattr__(name: str) -> Any:
    # Imported on first use: --help must not wait for it. All at once: the module wgorch.plan, once imported, would
    # take the place of the function `plan`.
    if name in __all__:
        import importlib

        api = importlib.import_module("wgorch.api")
        globals().update({each: getattr(api, each) for each in api.__all__})
        return globals()[name]
    raise AttributeError(f"module 'wgorch' has no attribute {name!r}")
