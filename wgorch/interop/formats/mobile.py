"""WireGuard's apps for Android and iOS: the file of wg-quick, which `--qr` draws."""

from __future__ import annotations

from wgorch.interop.formats.wg_quick import export

__all__ = ["export"]
