"""The lab: the reference world, built once, and a controller in it.

controller ─┐
      home ─┴─ home-router (NAT) ── internet ── bcc
                                       │
   company ─┬─ company-router (NAT, SSH gateway)
    target ─┘
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.rehearsal.snapshot import KEYS_STAY, Snapshot, snapshot

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "inventory" / "home-company.yaml"
HOSTS = ("bcc", "home", "company")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)
            # Pipes of processes that have ended in a world are closed when they are collected.
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@dataclass
class Lab:
    """The world with wgorch run in it as the controller."""

    world: ReferenceWorld
    directory: Path
    before: dict[str, Snapshot] = field(default_factory=dict)
    client: str = ""
    """SSH client of every run that changes hosts; empty: the inventory's."""

    def _with_client(self, args: tuple[str | Path, ...]) -> list[str]:
        words = [str(word) for word in args]
        return (
            [*words, "--ssh-client", self.client]
            if self.client and words[0] in ("up", "teardown", "plan", "status")
            else words
        )

    def wgorch(
        self, *args: str | Path, code: int | None = 0, timeout: float = 300, **options: object
    ) -> subprocess.CompletedProcess[str]:
        """Run wgorch as the controller; `code` is the exit code that must come, None for any."""
        argv = [sys.executable, "-m", "wgorch", *self._with_client(args)]
        env = {"PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
        done = self.world.run("controller", *argv, check=False, timeout=timeout, env=env, **options)  # type: ignore[arg-type]
        if code is not None:
            assert done.returncode == code, (
                f"wgorch {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def spawn(self, *args: str | Path) -> subprocess.Popen[str]:
        """Start wgorch as the controller, in a process group of its own."""
        argv = [sys.executable, "-m", "wgorch", *self._with_client(args)]
        return self.world.spawn("controller", *argv, env={"PYTHONPATH": str(ROOT)}, start_new_session=True)

    def up(self, inventory: Path = INVENTORY, *options: str) -> subprocess.CompletedProcess[str]:
        return self.wgorch("up", inventory, "--yes", *options)

    def inventory(self, text: str, name: str = "inventory.yaml") -> Path:
        """An inventory file of a test's own."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def edited(self, *replacements: tuple[str, str]) -> Path:
        """The reference inventory with some text replaced."""
        text = INVENTORY.read_text()
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        return self.inventory(text)

    def differences(self, *, ignore: tuple[str, ...] = KEYS_STAY) -> dict[str, list[str]]:
        """What differs on each host from the moment the lab was built.

        The fact script of a run that failed goes on to its end without it, for seconds on a busy machine; what watched
        a lease looks every 5 s.
        """
        end = time.monotonic() + 8
        while True:
            now = {name: snapshot(self.world, name) for name in self.before}
            found = {name: self.before[name].difference(now[name], ignore=ignore) for name in self.before}
            more = [(name, line) for name, lines in found.items() for line in lines]
            if not all(now[name].runs(line) for name, line in more) or not more or time.monotonic() > end:
                return {name: lines for name, lines in found.items() if lines}
            time.sleep(0.3)

    def is_as_before(self) -> bool:
        """True where nothing differs but what a teardown leaves, and a referee that still watches."""
        return not self.differences(ignore=(*KEYS_STAY, "referee watch"))

    def with_run(self, command: str, host: str, undo: str = "true") -> str:
        """Playbooks in which one host also runs a command of the test's, after everything else."""
        place = self.directory / "faulty"
        place.mkdir(exist_ok=True)
        text = (INVENTORY.parents[1] / "playbooks" / "up.yaml").read_text()
        step = f"{{run: fault, command: {json.dumps(command)}, undo: {json.dumps(undo)}, on: [{host}]}}"
        (place / "up.yaml").write_text(text.replace("exit_routes]", f"exit_routes, {step}]"))
        (place / "teardown.yaml").write_text((INVENTORY.parents[1] / "playbooks" / "teardown.yaml").read_text())
        for path in (place, *place.iterdir()):
            path.chmod(0o755)
        return str(place)

    def wait(self, true: object, seconds: float, what: str | Callable[[], str]) -> float:
        """Wait until a callable is true; how long it took."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if true():  # type: ignore[operator]
                return time.monotonic() - began
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


@contextmanager
def own_lab(name: str, place: pytest.TempPathFactory, **options: bool) -> Iterator[Lab]:
    """A reference world of a test file's own, for tests that spoil what others need."""
    with _world(name, **options) as world:
        directory = place.mktemp(name)
        directory.chmod(0o755)
        yield Lab(world, directory, {host: snapshot(world, host) for host in HOSTS})  # type: ignore[arg-type]


def _world(name: str, **options: bool) -> ReferenceWorld:
    assert os.geteuid() == 0, "the lab builds namespaces and needs root; `make fast` runs the pure tests alone"
    return ReferenceWorld(f"{name}-{os.getpid()}", **options)


@pytest.fixture(scope="session")
def _reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    world = _world("tests")
    with world:
        directory = tmp_path_factory.mktemp("controller")
        directory.chmod(0o755)
        yield Lab(world, directory, {name: snapshot(world, name) for name in (*HOSTS, "target")})


@pytest.fixture
def lab(_reference: Lab) -> Iterator[Lab]:
    """The reference world, clean: a test that leaves a trace after teardown is found by the next one's start."""
    yield _reference
    clean(_reference)


def clean(lab: Lab) -> None:
    """Back to the beginning, by whatever is needed: teardown, and a fresh boot of what is still not as it was."""
    done = None
    if any(lab.world.sh(name, "ls -d /var/lib/wgorch /sys/class/net/wg0 2>/dev/null || :") for name in HOSTS):
        done = lab.wgorch("teardown", INVENTORY, "--yes", "--purge", code=None)
    if done and done.returncode == 75:
        # A test that killed the controller left its locks; they end by themselves, but not soon enough for us.
        for name in HOSTS:
            lab.world.sh(name, "rm -rf /var/lib/wgorch/office/lock")
        done = lab.wgorch("teardown", INVENTORY, "--yes", "--purge", code=None)
    lab.world.sh("controller", "rm -rf /root/.local/state/wgorch /root/.ssh/config")
    left = lab.differences(ignore=())
    for name in left:
        if name in HOSTS:
            everything = "/var/lib/wgorch /etc/systemd/system/wgorch-* /etc/systemd/system/*.wants/wgorch-*"
            lab.world.sh(name, f"rm -rf {everything}", check=False)
            lab.world.reboot(name)
    still = lab.differences(ignore=()) if left else {}
    assert not still, f"the world could not be cleaned: {still}\n{done}"


@pytest.fixture
def network(lab: Lab) -> Lab:
    """The reference network, up."""
    lab.up()
    return lab
