"""Logins that fail: how to make each, and the message and remedy that both clients must give.

docs/troubleshooting.md has the same table (`make docs`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.lab.ssh_kinds import AGENT, CERTIFIED, HOST_CA, NO_KNOWN, WRONG, Kind, host_certificate

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


class Failing(NamedTuple):
    """A login that fails. `message`: a regular expression; `shown`: the message in the docs; `hint`: part of the remedy."""

    kind: Kind
    message: str
    shown: str
    hint: str
    code: int = 4


MANY = AGENT + (
    "for n in $(seq 8); do ssh-keygen -q -t ed25519 -N '' -f /run/other$n;"
    " SSH_AUTH_SOCK=/run/agent.sock ssh-add -q /run/other$n; rm /run/other$n; done; rm /root/.ssh/id_ed25519"
)

FAILURES = [
    Failing(
        Kind("unknown host key", here=NO_KNOWN),
        r"home: cannot verify host key: \[192\.168\.0\.9\]:2222 presents the unknown key \S+ SHA256:",
        "cannot verify host key: … presents the unknown key …",
        "wgorch trust home",
    ),
    Failing(
        Kind("changed host key", here=WRONG),
        r"home: cannot verify host key: .* presents \S+ SHA256:\S+, but known_hosts has",
        "… presents …, but known_hosts has …",
        "if the host was reinstalled: ssh-keygen -R '[192.168.0.9]:2222', then wgorch trust home",
    ),
    Failing(
        Kind("revoked host key", here="sed 's/^[^ ]* /@revoked * /' /root/.ssh/known_hosts >>/root/.ssh/known_hosts"),
        r"home: cannot verify host key: it presents the revoked key \S+ SHA256:",
        "it presents the revoked key …",
        "do not connect; ask its administrator",
    ),
    Failing(
        Kind(
            "expired host certificate",
            here=HOST_CA,
            server=CERTIFIED,
            there=host_certificate("-n", "192.168.0.9", "-V", "20200101:20210101"),
        ),
        r"home: cannot verify host key: .*(host certificate, but it expired on 2021|Certificate invalid: expired)",
        "… presents a host certificate, but it expired on …",
        "renew the certificate on the host, or correct the @cert-authority line in known_hosts",
    ),
    Failing(
        Kind(
            "host certificate for another name", here=HOST_CA, server=CERTIFIED, there=host_certificate("-n", "other")
        ),
        r"home: cannot verify host key: .*(it is for other, not for 192\.168\.0\.9|Certificate invalid: name is not)",
        "… presents a host certificate, but it is for …, not for …",
        "renew the certificate on the host, or correct the @cert-authority line in known_hosts",
    ),
    Failing(
        Kind(
            "refused keys",
            here="rm -f /root/.ssh/id_ed25519*; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519",
        ),
        r"home: cannot log in as root: 192\.168\.0\.9 refused: /root/\.ssh/id_ed25519 \(",
        "cannot log in as USER: … refused: KEY (KIND), …",
        "add your public key to root's authorized_keys on the host",
    ),
    Failing(
        Kind("no key", here="rm /root/.ssh/id_ed25519"),
        r"home: cannot log in as root: 192\.168\.0\.9 refused: no key was found to try",
        "… refused: no key was found to try",
        "add your public key to root's authorized_keys on the host",
    ),
    Failing(
        Kind("too many keys", here=MANY, server="MaxAuthTries=2", agent=True),
        r"home: cannot log in as root: .*(disconnected after \d keys|Too many authentication failures)",
        "… disconnected after N keys",
        "name the key in the inventory, identity: ~/.ssh/",
    ),
    Failing(
        Kind("passwords only", server="AuthenticationMethods=password PasswordAuthentication=yes"),
        r"home: cannot log in as root: 192\.168\.0\.9 refused: .*; it accepts password",
        "… refused: …; it accepts password",
        "--ask-ssh-password",
    ),
    Failing(
        Kind("no common cipher", server="Ciphers=aes128-cbc"),
        r"home: cannot log in: .*aes128-cbc.*aes128-gcm@openssh\.com",
        "no common cipher: the server offers …; wgorch …",
        "allow a",
    ),
    Failing(
        Kind(
            "no such name",
            "  HostName no-such.invalid\n",
            here="sed -i 's/HostName 192.*/HostName no-such.invalid/' /root/.ssh/config",
        ),
        r"home: cannot resolve no-such\.invalid: ",
        "cannot resolve NAME: …",
        "check the name, or give an address",
    ),
    Failing(
        Kind("nothing listens", here="sed -i 's/Port 2222/Port 2299/' /root/.ssh/config"),
        r"home: cannot connect: .*2299: Connection refused",
        "cannot connect: … Connection refused",
        "check that the host is up and that this is its SSH address",
    ),
    Failing(
        Kind(
            "jump host with an unknown key",
            "  ProxyJump gate\nHost gate\n  HostName 192.168.0.9\n  HostKeyAlias nowhere\n  User root\n",
        ),
        r"home: cannot verify host key: jump host gate: nowhere presents the unknown key \S+ SHA256:",
        "jump host NAME: …",
        "wgorch trust home",
    ),
    Failing(
        Kind(
            "jump host that connects no further",
            "  ProxyJump root@192.168.0.9:22\n",
            here="sed -i 's/Port 2222/Port 2299/' /root/.ssh/config",
        ),
        r"home: cannot connect: .*(cannot open 192\.168\.0\.9:2299|open failed: connect failed)",
        "… cannot open HOST:PORT: …",
        "check AllowTcpForwarding on the jump host, and that the host is up",
    ),
    Failing(
        Kind("bad configuration", "  NoSuchOption yes\n"),
        r"ssh refuses its configuration: /root/\.ssh/config: line 5: Bad configuration option: nosuchoption",
        "ssh refuses its configuration: FILE: line N: …",
        "correct the file, as for ssh itself",
        3,
    ),
]


def table() -> str:
    """The table for docs/troubleshooting.md."""
    rows = ["| login fails by | message | remedy |", "| --- | --- | --- |"]
    rows += [f"| {f.kind.name} | `{f.shown}` | {_remedy(f.hint)} |" for f in FAILURES]
    return "\n".join(rows) + "\n"


def _remedy(hint: str) -> str:
    full = {
        "allow a": "allow a newer algorithm in the server's sshd_config",
        "--ask-ssh-password": "`--ask-ssh-password`",
        "wgorch trust home": "compare the fingerprint, then `wgorch trust HOST`",
    }
    return full.get(hint, hint.replace("[192.168.0.9]:2222", "NAME").replace("home", "HOST").replace("root", "USER"))


def page() -> str:
    """docs/troubleshooting.md with a fresh table."""
    fresh = f"<!-- ssh -->\n{table()}<!-- /ssh -->"
    return re.sub(r"<!-- ssh -->.*<!-- /ssh -->", lambda _: fresh, PAGE.read_text(), flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page())
