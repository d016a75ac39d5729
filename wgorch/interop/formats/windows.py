"""WireGuard for Windows: a file for "Import tunnel(s) from file"; the app runs no commands of it."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.interop.formats import wg_quick
from wgorch.interop.formats.site import Site


def export(site: Site) -> dict[str, str]:
    """The file of the app; its name is that of the tunnel, and of its interface. It holds the private key."""
    text = wg_quick.export(site)[f"{site.name}.conf"]
    head, _, rest = text.partition("\n")
    return {f"{site.name}.conf": "\n".join([head, *_router(site), rest])}


def _router(site: Site) -> Iterator[str]:
    if not site.lans:
        return
    yield f"# to forward between the tunnel and {', '.join(site.lans)}, as an administrator in PowerShell, once:"
    yield f"#   Set-NetIPInterface -InterfaceAlias '{site.name}' -Forwarding Enabled"
    yield "#   Get-NetAdapter -Physical | Set-NetIPInterface -Forwarding Enabled"
    if site.listen_port:
        rule = f"-DisplayName 'wgorch {site.network}' -Direction Inbound -Protocol UDP -LocalPort {site.listen_port}"
        yield f"#   New-NetFirewallRule {rule} -Action Allow"
