"""A network that version 0.1 brought up: this version meets it without loss, and takes it down without a trace."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, Lab

pytestmark = pytest.mark.slow(50)

OLD = Path(__file__).with_name("wgorch-0.1.tar.xz")
"""The package and playbooks of the last version whose hosts carry no format number."""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment of its own, in which wgorch is that of OLD."""
    place = tmp_path_factory.mktemp("old")
    for path in (place, *place.parents[:2]):
        path.chmod(0o755)
    tree = place / "tree"
    tree.mkdir()
    with tarfile.open(OLD) as archive:
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
    return python


def old_up(lab: Lab, python: Path) -> None:
    lab.world.run("controller", str(python), "-m", "wgorch", "up", str(INVENTORY), "--yes", timeout=120)


def test_a_network_of_the_old_version_is_met_without_loss(lab: Lab, old_python: Path) -> None:
    old_up(lab, old_python)
    assert "#: format" not in lab.world.sh("home", "cat /var/lib/wgorch/office/boot")

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


def test_this_version_takes_down_what_the_old_one_built(lab: Lab, old_python: Path) -> None:
    old_up(lab, old_python)

    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")

    assert {} == lab.differences(ignore=())


@pytest.mark.parametrize("verb", ["plan", "up", "teardown"])
def test_a_newer_format_is_refused_in_words(network: Lab, verb: str) -> None:
    boot = "/var/lib/wgorch/office/boot"
    network.world.sh("home", f"sed -i 's/^#: format .*/#: format 99/' {boot}")
    try:
        done = network.wgorch(verb, INVENTORY, *([] if verb == "plan" else ["--yes"]), code=4)
    finally:
        network.world.sh("home", f"sed -i 's/^#: format .*/#: format 2/' {boot}")

    assert "home: cannot manage network office: /var/lib/wgorch/office has format 99" in done.stderr
    assert "upgrade wgorch" in done.stderr
