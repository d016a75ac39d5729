"""What of a configuration only OpenSSH's own client has."""

from __future__ import annotations

import socket

from wgorch.remote.ssh import tokens
from wgorch.remote.ssh.config import Settings

_OFF = ("none", "no", "false")

_ONLY_SSH = {
    "knownhostscommand": "KnownHostsCommand",
    "pkcs11provider": "PKCS11Provider",
    "hostbasedauthentication": "HostbasedAuthentication",
    "proxyusefdpass": "ProxyUseFdpass",
    "bindinterface": "BindInterface",
    "bindaddress": "BindAddress",
    "verifyhostkeydns": "VerifyHostKeyDNS",
    "revokedhostkeys": "RevokedHostKeys",
}


def needs_ssh(settings: Settings, meant: tokens.Meant) -> str:
    """The words that paramiko does not have, separated by commas; empty if there is none."""
    first = {keyword: values[0].lower() for keyword, values in settings.items()}
    found = [name for keyword, name in _ONLY_SSH.items() if first.get(keyword, "none") not in _OFF]
    if first.get("stricthostkeychecking") == "accept-new":
        found.append("StrictHostKeyChecking accept-new")
    if first.get("addressfamily", "any") != "any":
        found.append("AddressFamily")
    if first.get("pubkeyauthentication", "yes") in _OFF:
        found.append("PubkeyAuthentication no")
    if "publickey" not in first.get("preferredauthentications", "publickey"):
        found.append("PreferredAuthentications")
    if is_live(settings.get("controlpath", ("none",))[0]):
        found.append("ControlPath (a live master)")
    files = (*settings.get("identityfile", ()), *settings.get("certificatefile", ()))
    found += [path for path in files if tokens.unexpandable(path)]
    return ", ".join(found)


def is_live(path: str | None) -> bool:
    """True if a master listens on a ControlPath."""
    if not path or path.lower() == "none":
        return False
    probe = socket.socket(socket.AF_UNIX)
    try:
        probe.connect(path)
    except (OSError, ValueError):
        return False
    else:
        return True
    finally:
        probe.close()
