"""The runners: command lines that do the whole job, run in the controller's directory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.environments import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FAST = ["-oKexAlgorithms=curve25519-sha256", "-oCiphers=aes128-gcm@openssh.com"]
UP = [sys.executable, "-P", "-m", "wgorch", "up", "inventory.yaml", "--yes", "--quiet"]

_BY_OPENSSH = """
printf 'AddressFamily inet\\nKexAlgorithms curve25519-sha256\\n' >/root/.ssh/config
"$@"
status=$?
rm /root/.ssh/config
exit $status
"""
"""sh: with a word in the configuration that only OpenSSH's client has, and the key exchange that paramiko prefers."""

Runner = Callable[[bool], list[str]]
"""The command line of a run; the argument is True for a second run, in which nothing is to be changed."""

DEFAULT = (
    "floor",
    "floor-read-only",
    "floor-as-shipped",
    "wgorch",
    "wgorch-unsafe",
    "fabric-naive",
    "pyinfra",
    "ansible",
    "ansible-mitogen",
)


def runners(before: Path) -> dict[str, Runner]:
    """All runners by name. `before`: another checkout, for wgorch-before."""
    return {
        "floor": lambda _again: _floor(FAST),
        "floor-read-only": lambda again: _floor([*FAST, *(["--probe"] if again else [])]),
        "floor-as-shipped": lambda _again: _floor([]),
        "wgorch": lambda _again: UP,
        "wgorch-openssh": lambda _again: ["sh", "-c", _BY_OPENSSH, "sh", *UP],
        "wgorch-before": lambda _again: ["env", f"PYTHONPATH={before}", *UP],
        "wgorch-unsafe": lambda _again: [sys.executable, "-P", "-m", "benchmarks.unsafe", "inventory.yaml"],
        "fabric-naive": lambda _again: [sys.executable, str(HERE / "naive.py"), "hosts.json"],
        "pyinfra": lambda _again: _pyinfra(),
        "ansible": lambda _again: _ansible("linear"),
        "ansible-mitogen": lambda _again: _ansible("mitogen_linear"),
    }


def _floor(options: list[str]) -> list[str]:
    return [sys.executable, str(HERE / "floor.py"), "hosts.json", *options]


def _ansible(strategy: str) -> list[str]:
    place = environment("ansible")
    plugins = next(place.glob("lib/python*/site-packages/ansible_mitogen/plugins/strategy"))
    settings = {
        "ANSIBLE_FORKS": "50",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_STRATEGY": strategy,
        "ANSIBLE_STRATEGY_PLUGINS": str(plugins),
        "ANSIBLE_SSH_ARGS": "-oControlMaster=auto -oControlPersist=60s -oKexAlgorithms=curve25519-sha256",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    env = [f"{name}={value}" for name, value in settings.items()]
    return ["env", *env, str(place / "bin" / "ansible-playbook"), "-i", "hosts.ini", "play.yaml"]


def _pyinfra() -> list[str]:
    program = environment("pyinfra") / "bin" / "pyinfra"
    both = f"mkdir -p keys && {program} -y pyinfra.py keys.py && {program} -y pyinfra.py network.py"
    return ["sh", "-c", both]
