"""Networks that older releases brought up: this version meets them without loss, and takes them down without a trace."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import tarfile
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab

pytestmark = pytest.mark.slow(50)

PLACE = Path(__file__).with_name("releases")


class Release(NamedTuple):
    """A line of releases.txt."""

    version: str
    commit: str
    format: str


LINES = [line.split() for line in (PLACE / "releases.txt").read_text().split("\n") if line and line[0] != "#"]
RELEASES = [Release(*words) for words in LINES]


@pytest.fixture(scope="module", params=draw(RELEASES, 1, salt="release"), ids=lambda release: release.version)
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, Path]:
    """A release, and the interpreter of an environment of its own with it."""
    place = tmp_path_factory.mktemp("old")
    for path in (place, *place.parents[:2]):
        path.chmod(0o755)
    tree = place / "tree"
    tree.mkdir()
    with tarfile.open(PLACE / f"{request.param.version}.tar.xz") as archive:
        archive.extractall(tree, filter="data")
    venv.create(place / "env", with_pip=False, symlinks=True)
    python = place / "env" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    # The old tree, and the libraries of this environment, but not its wgorch: .pth files are not followed twice.
    (site / "old.pth").write_text(f"{tree}\n{sysconfig.get_path('purelib')}\n")
    found = subprocess.run(
        [python, "-c", "import wgorch; print(wgorch.__file__)"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert found.stdout.strip() == str(tree / "wgorch" / "__init__.py")
    return request.param, python


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_an_archive_is_what_the_history_has(release: Release) -> None:
    paths = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", release.commit, "wgorch", "playbooks"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    with tarfile.open(PLACE / f"{release.version}.tar.xz") as archive:
        names = {member.name for member in archive if member.isfile()}
        assert "wgorch/__init__.py" in names
        if paths.returncode == 0:  # a checkout without its history has the archives alone
            assert names == set(paths.stdout.split())


def old_up(lab: Lab, python: Path) -> None:
    lab.world.run("controller", str(python), "-m", "wgorch", "up", str(INVENTORY), "--yes", timeout=120)


def test_a_network_of_an_older_release_is_met_without_loss(lab: Lab, old: tuple[Release, Path]) -> None:
    release, python = old
    old_up(lab, python)
    boot = lab.world.sh("home", "cat /var/lib/wgorch/office/boot").split("\n")
    assert ([] if release.format == "1" else [f"#: format {release.format}"]) == [
        line for line in boot if line.startswith("#: format")
    ]

    status = json.loads(lab.wgorch("status", INVENTORY, "--json", code=2).stdout)
    assert all(host["reached"] and host["peers"] for host in status["hosts"].values())
    plan = json.loads(lab.wgorch("plan", INVENTORY, "--json", code=2).stdout)
    changes = [change for host in plan["hosts"].values() for change in host["changes"]]
    assert {"boot"} <= {change["step"] for change in changes} <= {"boot", "persist", "drop_ins", "members"}
    assert not any(change["disruptive"] for change in changes)

    pinging = lab.world.spawn("home", "ping", "-n", "-q", "-i", "0.05", "-c", "200", "10.10.13.61")
    done = lab.wgorch("up", INVENTORY)
    out, _ = pinging.communicate(timeout=30)

    assert re.search(r"\b200 packets transmitted, 200 received\b", out), out + done.stdout
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    for host in HOSTS:
        assert "#: format 2" in lab.world.sh(host, "cat /var/lib/wgorch/office/boot").split("\n")
        lab.world.reboot(host)
    lab.wait(lambda: lab.world.ping("home", "10.10.13.61"), 30, "home reaches target after the reboot")

    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    assert {} == lab.differences(ignore=())


def test_this_version_takes_down_what_an_older_one_built(lab: Lab, old: tuple[Release, Path]) -> None:
    old_up(lab, old[1])

    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")

    assert {} == lab.differences(ignore=())


@pytest.mark.parametrize("verb", ["plan", "up", "teardown"])
def test_a_newer_format_is_refused_with_the_version_to_get(network: Lab, verb: str) -> None:
    boot = "/var/lib/wgorch/office/boot"
    network.world.sh(
        "home", f"cp -p {boot} /run/boot; sed -i 's/^#: format .*/#: format 99/; s/^#: since .*/#: since 7.1/' {boot}"
    )
    try:
        done = network.wgorch(verb, INVENTORY, *([] if verb == "plan" else ["--yes"]), code=4)
    finally:
        network.world.sh("home", f"cp -p /run/boot {boot}; rm /run/boot")

    assert "home: cannot manage network office: /var/lib/wgorch/office has format 99" in done.stderr
    assert "get wgorch 7.1 or newer on this machine" in done.stderr


def test_an_older_program_refuses_a_newer_host_in_words(lab: Lab, old: tuple[Release, Path]) -> None:
    """0.1 knows no format and does not look for one; every later release refuses."""
    release, python = old
    lab.up()
    lab.world.sh("home", "sed -i 's/^#: format .*/#: format 99/' /var/lib/wgorch/office/boot")
    words = [str(python), "-m", "wgorch", "plan", str(INVENTORY)]
    done = lab.world.run("controller", *words, check=False, timeout=120)
    lab.world.sh("home", "sed -i 's/^#: format .*/#: format 2/' /var/lib/wgorch/office/boot")
    assert "Traceback" not in done.stderr
    if release.format != "1":
        assert done.returncode == 4
        assert "has format 99" in done.stderr
        assert "upgrade wgorch" in done.stderr
