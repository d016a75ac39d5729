"""What a machine changed is seen, and what the machine it runs on changes meanwhile is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from wgorch.rehearsal.machine import Machine
from wgorch.rehearsal.snapshot import snapshot
from wgorch.rehearsal.world import World

pytestmark = pytest.mark.slow(5)


@pytest.fixture
def below(tmp_path: Path) -> Path:
    """A root directory that a test may write, whose programs are this machine's."""
    shutil.copytree("/etc", tmp_path / "etc", symlinks=True)
    for place in ("var/lib/dpkg", "home", "root"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "etc/packaged.d").mkdir()
    for name in ("kept", "changed", "gone", "packaged.d/old"):
        (tmp_path / "etc" / name).write_text("before\n")
    (tmp_path / "usr").symlink_to("/usr")
    return tmp_path


@pytest.fixture
def world(below: Path) -> Iterator[World]:
    with World(f"snapshot-{os.getpid()}", {"m": Machine("m", (), userland=below)}) as world:
        yield world


def test_a_package_manager_below_a_world_is_no_difference(world: World, below: Path) -> None:
    before = snapshot(world, "m")
    (below / "etc/new").write_text("new\n")
    (below / "etc/changed").write_text("another\n")
    (below / "etc/gone").unlink()
    (below / "var/lib/dpkg/lock").write_text("")
    assert [] == before.difference(snapshot(world, "m"))


def test_what_the_machine_itself_changes_is_seen(world: World) -> None:
    before = snapshot(world, "m")
    world.sh("m", "echo x >>/etc/kept; rm /etc/gone; mkdir /var/lib/own; : >/var/lib/own/file; ln -s kept /etc/link")
    world.sh("m", "rm -r /etc/packaged.d; mkdir /etc/packaged.d; echo new >/etc/packaged.d/new")
    seen = [line.split(" ")[0] for line in before.difference(snapshot(world, "m"))]
    assert sorted(seen) == [
        "+/etc/gone",
        "+/etc/kept",
        "+/etc/link",
        "+/etc/packaged.d",
        "+/etc/packaged.d/new",
        "+/var/lib/own",
        "+/var/lib/own/file",
    ]


def test_what_was_put_back_is_no_difference(world: World) -> None:
    before = snapshot(world, "m")
    world.sh("m", "cp -p /etc/kept /run/k; echo x >>/etc/kept; rm /etc/gone; mkdir /etc/d; touch /etc/packaged.d/x")
    world.sh("m", "cp -p /run/k /etc/kept; rm /run/k; echo before >/etc/gone; rmdir /etc/d; rm /etc/packaged.d/x")
    assert [] == before.difference(snapshot(world, "m"))
