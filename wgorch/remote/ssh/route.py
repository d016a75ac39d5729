"""Everything that it takes to open one SSH connection, whichever client opens it."""

from __future__ import annotations

from dataclasses import replace

from wgorch.base.value import value

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
"""Names in ~/.ssh that OpenSSH tries where no identity is named, in its order."""


@value
class Algorithms:
    """The algorithms that the configuration names, by kind; empty: those of the client."""

    kex: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()


@value
class SshRoute:
    """The way to one SSH server.

    `via`: the connection that it goes through, or None. `name`: as asked for, by which ssh finds its own settings.
    """

    host: str
    port: int
    user: str
    via: SshRoute | None = None
    identities: tuple[str, ...] = ()
    """Key files, or public halves of an agent's keys; empty: the usual ones."""
    only_identities: bool = False
    """True: no other key of an agent is tried."""
    certificates: tuple[str, ...] = ()
    """Certificate files."""
    agent: str = ""
    """Socket of the agent; empty: none."""
    known_as: str = ""
    """HostKeyAlias."""
    known_hosts_files: tuple[str, ...] = ()
    proxy_command: str = ""
    """Command that connects in place of TCP, tokens expanded; a shell runs it."""
    host_key: str | None = None
    """The inventory's host_key."""
    name: str = ""
    pinned_identity: bool = False
    """True where the inventory names the identity."""
    algorithms: Algorithms = Algorithms()
    accepts_new: bool = False
    """True for StrictHostKeyChecking accept-new."""
    control_path: str = ""
    """Socket of a live ControlMaster."""
    needs_ssh: str = ""
    """The words of the configuration that only OpenSSH's client has; empty: any client will do."""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port != 22 else ""
        return f"{self.user}@{self.host}{port}" + (f" via {self.via}" if self.via else "")

    @property
    def hops(self) -> tuple[SshRoute, ...]:
        """The jump hosts, nearest first, and the server itself."""
        return (*(self.via.hops if self.via else ()), self)

    def behind(self, first: SshRoute) -> SshRoute:
        """The same route, with `first` before its first hop."""
        return replace(self, via=self.via.behind(first) if self.via else first)
