"""Ask `ssh -G` what a configuration comes to for one target; what that takes is imported where it is needed."""

from __future__ import annotations

from functools import cache

from wgorch.errors import UsageError
from wgorch.inventory.model import SshTarget
from wgorch.remote.ssh.config import ADDING, Settings, SshConfig

TIMEOUT_S = 30
"""A Match exec or a DNS query may take its time."""

_DEFAULTS_COUNT = ("identityfile", "kexalgorithms", "ciphers", "macs", "hostkeyalgorithms")
"""Keywords that are always printed; what is printed without a file, too, was not named."""


def ask_ssh(config: SshConfig, target: SshTarget) -> Settings:
    """The settings of a target; without those that are only ssh's defaults. Raises UsageError with ssh's own words."""
    odd = config.odd[0]
    if ssh_program() is None:
        problem = f"{odd.place}: cannot interpret {odd.keyword} {odd.value}".rstrip()
        raise UsageError(f"{problem}: there is no ssh program", "install OpenSSH's client (openssh-client)")
    login = (*(("-l", target.user) if target.user else ()), *(("-p", str(target.port)) if target.port else ()))
    found = _dump(*login, "--", target.host)
    return {
        word: values for word, values in found.items() if word not in _DEFAULTS_COUNT or values != _defaults()[word]
    }


@cache
def ssh_program() -> str | None:
    """The path of OpenSSH's client, or None."""
    import shutil

    return shutil.which("ssh")


@cache
def ssh_algorithms(kind: str) -> tuple[str, ...]:
    """The algorithms that OpenSSH's client has; `kind`: as of ``ssh -Q``."""
    import subprocess

    words = [ssh_program() or "ssh", "-Q", kind]
    return tuple(subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT_S).stdout.split())


@cache
def _defaults() -> Settings:
    return _dump("-F", "none", "--", "localhost")


def _dump(*args: str) -> Settings:
    import subprocess

    try:
        done = subprocess.run(
            [ssh_program() or "ssh", "-G", *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"cannot run ssh -G: {error}", "check Match exec in ~/.ssh/config") from None
    if done.returncode:
        said = "; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise UsageError(f"ssh refuses its configuration: {said}", "correct the file, as for ssh itself")
    found: dict[str, tuple[str, ...]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in ADDING or keyword not in found:
            found[keyword] = (*found.get(keyword, ()), value)
    return found
