"""The slim import: what it leaves out, and that no other thread ever sees a stub; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(code: str) -> str:
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SLIM = """
import builtins, sys
import yaml
from wgorch.remote.ssh.slim_import import slim_import
real = builtins.__import__
with slim_import():
    import fabric, paramiko, wgorch.remote.ssh.connections
assert builtins.__import__ is real
"""


def test_what_is_never_used_is_not_loaded() -> None:
    left_out = "['importlib.metadata', 'unittest.mock', 'asyncio', 'ssl', 'email.message', 'invoke.vendor.yaml']"

    assert "[]" == run(f"{SLIM}print([name for name in {left_out} if name in sys.modules])")


def test_fabric_and_paramiko_work_without_it() -> None:
    use = "fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True); print(paramiko.Transport._CLIENT_ID)"

    assert "paramiko_wgorch" == run(SLIM + use)


def test_what_comes_later_gets_the_real_modules() -> None:
    later = (
        "import importlib.metadata, unittest.mock, invoke.vendor.yaml\n"
        "from importlib import metadata\nfrom unittest.mock import Mock\n"
        "print(metadata.version('paramiko').split('.')[0], Mock().anything() is None, invoke.vendor.yaml is yaml)"
    )

    assert "5 False False" == run(SLIM + later)


@pytest.mark.parametrize(
    ("first", "expected"), [("", "True True"), ("importlib.metadata", "False True"), ("asyncio", "True False")]
)
def test_a_module_that_is_loaded_already_stays_real(first: str, expected: str) -> None:
    shown = "print(paramiko.__version__ == 'wgorch', sys.modules['invoke.context'].Mock is object)"

    assert expected == run(f"{first and f'import {first}'}\n{SLIM}{shown}")


AT_ONCE = """
import gc, random, sys, threading, time
import cryptography.hazmat.primitives.asymmetric.x25519
import yaml
from wgorch.remote.ssh.slim_import import slim_import

sys.setswitchinterval(1e-5)
TOPS = ("paramiko", "fabric", "invoke", "asyncio", "unittest", "importlib.metadata", "email", "yaml")
wrong = []

def forget():
    for name in list(sys.modules):
        if any(name == top or name.startswith(top + ".") for top in TOPS):
            del sys.modules[name]

def others(pause):
    time.sleep(pause)
    import importlib.metadata, unittest.mock, asyncio, yaml
    from importlib import metadata
    from unittest.mock import Mock
    if metadata is not sys.modules["importlib.metadata"] or metadata.version("paramiko") == "wgorch":
        wrong.append("importlib.metadata")
    if not hasattr(Mock, "assert_called_once") or unittest.mock.Mock is not Mock:
        wrong.append("unittest.mock")
    if not callable(asyncio.run) or yaml.safe_load("[1]") != [1]:
        wrong.append("asyncio or yaml")

def slim():
    with slim_import():
        import paramiko, fabric
    if not hasattr(fabric, "Connection") or not hasattr(paramiko, "Transport"):
        wrong.append("fabric or paramiko")

for turn in range(ROUNDS):
    forget()
    threads = [threading.Thread(target=others, args=(random.random() * 0.08,)) for _ in range(2)]
    threads += [threading.Thread(target=slim) for _ in range(1 + turn % 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(sorted(set(wrong)))
"""


def test_an_import_of_another_thread_at_the_same_moment_gets_the_real_module() -> None:
    assert "[]" == run(AT_ONCE.replace("ROUNDS", "25"))
