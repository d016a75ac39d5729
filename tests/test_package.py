"""The package as people install it: what is in it, and that its verbs work without what a platform may lack."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from wgorch.cli.man import page

ROOT = Path(__file__).parents[1]
CODE = [p.relative_to(ROOT) for p in (ROOT / "wgorch").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
SHARED = {"playbooks": "share/playbooks", "inventory": "share/inventory"}

HIDING = """
import importlib.abc, sys

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

HIDDEN = set(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, Hidden())
from wgorch.cli.entry import run
run()
"""
"""wgorch where some modules cannot be imported."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel, the sdist, and the wheel unpacked in `wheel/`."""
    place = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place), str(ROOT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = place.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(place / "wheel")
    return place


def wgorch(place: Path, *words: str, hidden: str = "nothing") -> subprocess.CompletedProcess[str]:
    """wgorch of the unpacked wheel, outside of the checkout."""
    argv = [sys.executable, "-c", HIDING, hidden, *words]
    env = {**os.environ, "PYTHONPATH": str(place / "wheel"), "HOME": str(place), "WGORCH_STRICT": ""}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd=place, env=env)


def test_the_wheel_has_all_of_the_package_and_what_users_read(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {str(path) for path in CODE} <= names
    for folder, place in SHARED.items():
        assert {f"wgorch/{place}/{path.name}" for path in (ROOT / folder).glob("*.yaml")} <= names
    data = {name.partition(".data/data/")[2] for name in names}
    assert {"share/man/man1/wgorch.1", "share/bash-completion/completions/wgorch"} <= data
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_the_sdist_is_enough_to_build_test_and_document(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = (
        "Makefile",
        "LICENSE",
        "scripts/setup",
        "tests/test_package.py",
        "docs/man/wgorch.1",
        "inventory/big.yaml",
        "packaging/Containerfile",
        "packaging/debian/rules",
        "scripts/deb",
    )
    assert {*wanted, *(str(path) for path in CODE)} <= names


def test_the_installed_program_is_the_wheels_own(built: Path) -> None:
    code = "import wgorch; print(wgorch.__file__)"
    env = {**os.environ, "PYTHONPATH": str(built / "wheel")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=built, env=env)
    assert done.stdout.strip() == str(built / "wheel" / "wgorch" / "__init__.py")


@pytest.mark.parametrize("hidden", ["nothing", "pyroute2,igraph,segno,distributed,keyring"])
def test_it_works_without_what_a_platform_may_lack(built: Path, hidden: str) -> None:
    inventory = built / "wheel" / "wgorch" / "share" / "inventory" / "home-company.yaml"
    (built / "hosts.ini").write_text("[office]\ngate ansible_host=127.0.0.1 ansible_port=1 ansible_user=root\n")
    assert "wgorch rehearse" in wgorch(built, "--help", hidden=hidden).stdout
    assert wgorch(built, "--version", hidden=hidden).stdout.startswith("wgorch 0.")
    assert "3 hosts" in wgorch(built, "check", str(inventory), hidden=hidden).stdout
    asked = wgorch(built, "init", "--from-ansible", "hosts.ini", "--yes", hidden=hidden)
    assert "Traceback" not in asked.stderr
    assert (asked.returncode, "refused" in asked.stderr) == (4, True), asked.stderr


@pytest.mark.parametrize(
    ("hidden", "words", "extra"),
    [
        ("igraph", ("map", "INVENTORY", "-o", "map.html", "--offline"), "wgorch[map]"),
        ("pyroute2", ("demo",), "pyroute2"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    built: Path, hidden: str, words: tuple[str, ...], extra: str
) -> None:
    inventory = str(built / "wheel" / "wgorch" / "share" / "inventory" / "home-company.yaml")
    done = wgorch(built, *(word.replace("INVENTORY", inventory) for word in words), hidden=hidden)
    assert done.returncode == 3
    assert f"needs the Python library {hidden}" in done.stderr
    assert extra in done.stderr


def test_the_man_page_is_the_parsers() -> None:
    text = (ROOT / "docs" / "man" / "wgorch.1").read_text()
    assert text == page(), "make docs"
    assert text.isascii()
    assert {line.split()[0] for line in text.split("\n") if line.startswith(".")} <= {
        ".TH", ".SH", ".SS", ".B", ".PP", ".TP", ".nf", ".fi", ".RS", ".RE"
    }  # fmt: skip
