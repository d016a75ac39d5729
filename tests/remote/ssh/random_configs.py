"""Random ssh_config files: what wgorch resolves equals what `ssh -G` prints, tokens expanded by ssh itself.

Run in a mount namespace of its own, with the folders of the user's and of the system's files on a tmpfs:
``unshare -m python -m tests.remote.ssh.random_configs SEED COUNT``.
"""

from __future__ import annotations

import getpass
import random
import subprocess
import sys
from pathlib import Path

from wgorch.errors import UsageError
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote.ssh.config import read_config
from wgorch.remote.ssh.resolve import SshResolver, home_directory

NAMES = ("web1", "web2", "Db-1", "gate", "inner", "192.0.2.7", "2001:db8::7", "a.example", "b.example")
PATTERNS = ("*", "web*", "web?", "!web2", "*.example", "192.0.2.*", "2001:*", *NAMES)


class Writer:
    """Writes one random configuration."""

    def __init__(self, chance: random.Random, *, plain: bool) -> None:
        self._chance, self._plain = chance, plain
        self.included: dict[str, str] = {}

    def file(self, depth: int = 0) -> str:
        lines = [self._line(depth) for _ in range(self._chance.randrange(3))]
        for _ in range(self._chance.randrange(5)):
            lines.append(self._head())
            lines += [f"{self._chance.choice(['    ', '  ', chr(9), ''])}{self._line(depth)}" for _ in range(3)]
        return "\n".join(lines) + self._chance.choice(["\n", ""])

    def _head(self) -> str:
        pick = self._chance.choice
        if self._plain or self._chance.random() < 0.6:
            patterns = " ".join(self._chance.sample(PATTERNS, self._chance.randrange(1, 4)))
            return f"{pick(['Host', 'host', 'HOST'])} {patterns}"
        words = [f"host {pick(PATTERNS)},{pick(NAMES)}", f"originalhost {pick(PATTERNS)}", "user root,me", "all"]
        words += ["final all", "canonical all", "exec true", "exec 'test %h = web1'", "final host web*", "!host web1"]
        return f"{pick(['Match', 'match'])} {pick(words)}"

    def _line(self, depth: int) -> str:
        pick, other = self._chance.choice, self._other
        if self._chance.random() < 0.07:
            return pick(["", "# a comment", "   #another", "\t"])
        if depth < 2 and self._chance.random() < 0.08:
            name = f"part{len(self.included)}"
            self.included[name] = ""
            self.included[name] = self.file(depth + 1)
            return f"Include {pick([name, f'~/.ssh/{name}', '~/.ssh/missing*'])}"
        path = pick(
            ["/keys/a", "~/.ssh/b", "~/.ssh/c-key", "none", other("~/.ssh/%r-%n", "%d/.ssh/%h_%p", "/k/%%u-%u")]
        )
        line = pick(
            [
                f"HostName {pick(NAMES)}",
                f"HostName {other('%h.example', 'in-%h')}",
                f"User {pick(['root', 'me', 'o.k', 'x-y_z'])}",
                f"Port {pick(['22', '2222', '65535'])}",
                f"IdentityFile {path}",
                f"IdentityFile {path}",
                f"CertificateFile {path}",
                f"IdentitiesOnly {pick(['yes', 'no'])}",
                f"ProxyJump {pick(['gate', 'me@gate:2222', 'none', 'gate,inner', '[2001:db8::9]:2200'])}",
                f"ProxyCommand {pick(['nc %h %p', 'none', 'ssh -W [%h]:%p -l %r gate', 'nc %n 22 # not a comment'])}",
                f"HostKeyAlias {pick(['known', '[odd]:22', 'known.example'])}",
                f"UserKnownHostsFile {pick(['~/.ssh/kh', '/a /b', '/dev/null', other('~/.ssh/kh-%h', '/x/%r')])}",
                f"GlobalKnownHostsFile {pick(['/etc/kh', '/etc/kh /etc/kh2'])}",
                f"StrictHostKeyChecking {pick(['yes', 'no', 'ask', 'accept-new', 'off'])}",
                f"{pick(['ForwardAgent', 'Compression', 'TCPKeepAlive', 'HashKnownHosts'])} {pick(['yes', 'no'])}",
                f"ServerAliveInterval {pick(['0', '30'])}",
                other(
                    "IdentityAgent ~/.ssh/agent-%r", "IdentityAgent none", "Ciphers aes256-ctr", "ControlPath ~/.ssh/%C"
                ),
                other(
                    "KexAlgorithms +diffie-hellman-group14-sha1", "MACs hmac-sha2-256", "HostKeyAlgorithms ssh-ed25519"
                ),
                other("LocalForward 8080 localhost:80", "SetEnv A=b", "AddressFamily inet", "LogLevel INFO"),
            ]
        )
        return self._decorate(line)

    def _other(self, *odd: str) -> str:
        """Something that is more than plain, where that is wanted."""
        return "SendEnv LANG" if self._plain else self._chance.choice(odd)

    def _decorate(self, line: str) -> str:
        keyword, value = line.split(" ", 1)
        if "SendEnv" in value:
            return "SendEnv LANG"
        if keyword != "ProxyCommand" and self._chance.random() < 0.2:
            line = self._chance.choice([f"{keyword}={value}", f"{keyword} = {value}", f"{keyword}\t{value}  "])
        if not self._plain and keyword not in ("ProxyCommand", "ProxyJump", "Include") and self._chance.random() < 0.1:
            line = self._chance.choice(
                [f"{keyword} {value}  # why", f'{keyword} "{value}"' if " " not in value else line]
            )
        return line


def by_ssh(name: str, *options: str) -> dict[str, list[str]]:
    """What ssh itself prints, by keyword."""
    done = subprocess.run(["ssh", "-G", *options, "--", name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(done.stderr)
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


def expanded(name: str, paths: list[str]) -> list[str]:
    """Paths with the tokens expanded by ssh: it does so in the files of known hosts that it prints."""
    # One that is named in both files is printed twice; a second try of a key changes nothing.
    named = list(dict.fromkeys(path for path in paths if path != "none"))
    if not named:
        return []
    quoted = " ".join(f'"{path}"' for path in named)
    return by_ssh(name, "-o", f"UserKnownHostsFile={quoted}")["userknownhostsfile"][0].split()


def compare(name: str, home: Path, nothing_named: list[str]) -> str:
    """The differences for one name; empty if there are none."""
    host = Host(name, SshTarget(name), (), 0)
    try:
        ssh = by_ssh(name)
    except UsageError as error:
        ssh = {"error": [str(error)]}
    try:
        route = SshResolver({}, read_config(home)).of(host)
    except UsageError as error:
        loops = "circular" in str(error) or "jumphost loop" in str(error)
        return "" if "error" in ssh or loops else f"wgorch refuses: {error}"
    if "error" in ssh:
        return f"ssh refuses: {ssh['error']}"
    identities = ssh.get("identityfile", [])
    files = ssh["userknownhostsfile"][0].split() + ssh["globalknownhostsfile"][0].split()
    expected = {
        "host": ssh["hostname"][0],
        "port": ssh["port"][0],
        "user": ssh.get("user", [getpass.getuser()])[0],
        "identities": [] if identities == nothing_named else expanded(name, identities),
        "certificates": expanded(name, ssh.get("certificatefile", [])),
        "only": ssh["identitiesonly"][0],
        "alias": ssh.get("hostkeyalias", [""])[0],
        "files": [
            path.replace("~", str(home), 1) if path.startswith("~/") else path for path in files if path != "none"
        ],
        "jump": ssh.get("proxyjump", ["none"])[0] not in ("none", ""),
        "accept": ssh["stricthostkeychecking"][0],
    }
    found = {
        "host": route.host,
        "port": str(route.port),
        "user": route.user,
        "identities": list(route.identities),
        "certificates": list(route.certificates),
        "only": "yes" if route.only_identities else "no",
        "alias": route.known_as,
        "files": list(route.known_hosts_files),
        "jump": route.via is not None,
        "accept": "accept-new" if route.accepts_new else expected["accept"],
    }
    return "".join(f"\n  {k}: ssh {expected[k]!r}, wgorch {found[k]!r}" for k in found if found[k] != expected[k])


def main(seed: int, count: int) -> int:
    home = home_directory()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc/ssh"], check=True)
    Path("/etc/ssh/up").mkdir()
    Path("/etc/ssh/work").mkdir()
    layers = f"lowerdir={home},upperdir=/etc/ssh/up,workdir=/etc/ssh/work"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", home], check=True)
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    nothing_named = by_ssh("x", "-F", "none")["identityfile"]
    wrong = odd = 0
    for number in range(count):
        chance = random.Random(f"{seed}-{number}")
        writer = Writer(chance, plain=chance.random() < 0.4)
        user, system = writer.file(), writer.file() if chance.random() < 0.4 else ""
        (home / ".ssh" / "config").write_text(user)
        Path("/etc/ssh/ssh_config").write_text(system.replace("~/.ssh/part", "part"))
        for name, text in writer.included.items():
            for folder in (home / ".ssh", Path("/etc/ssh")):
                (folder / name).write_text(text)
        odd += bool(read_config(home).odd)
        for name in chance.sample(NAMES, 2):
            if differences := compare(name, home, nothing_named):
                wrong += 1
                print(f"--- seed {seed}, file {number}, {name}:{differences}\n{user}--- system\n{system}")
                for part, text in writer.included.items():
                    print(f"--- {part}\n{text}")
    print(f"{count - wrong} of {count} equal, {odd} of them by ssh -G")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
