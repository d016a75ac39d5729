"""Approvals on real hosts: no verb that changes them passes without, whatever the inventory says, but undo."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, Lab

pytestmark = pytest.mark.slow(45)

OTHER = {"env": {"XDG_STATE_HOME": "/tmp/another-controller"}}
JOURNAL = "/var/lib/wgorch/office/journal"


class Signers:
    """Three signers, and the inventory that asks for two of them."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.number = lab, 0
        lines = []
        for name in ("anna", "ben", "carl"):
            path = lab.directory / name
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=20)
            lines.append(f"{name}@example.net {' '.join((lab.directory / f'{name}.pub').read_text().split()[:2])}")
        (lab.directory / "allowed_signers").write_text("\n".join(lines) + "\n")

    def inventory(self, *replacements: tuple[str, str], needs: int = 2) -> Path:
        self.number += 1
        text = self.lab.edited(*replacements).read_text()
        return self.lab.inventory(
            f"{text}approve: {{needs: {needs}, signers: allowed_signers}}\n", f"approved{self.number}.yaml"
        )

    def plan(self, inventory: Path, *by: str, planned: tuple[str, ...] = ()) -> Path:
        """A plan, signed by some."""
        self.number += 1
        plan = self.lab.directory / f"change{self.number}.plan"
        self.lab.wgorch("plan", inventory, "-o", plan, *planned, code=2)
        for name in by:
            self.lab.wgorch("approve", plan, "--key", self.lab.directory / name)
        return plan

    def apply(
        self, inventory: Path, *by: str, code: int = 0, more: tuple[str, ...] = (), planned: tuple[str, ...] = ()
    ) -> str:
        done = self.lab.wgorch("apply", self.plan(inventory, *by, planned=planned), "--yes", *more, code=code)
        return done.stdout + done.stderr


@pytest.fixture
def signers(lab: Lab) -> Iterator[Signers]:
    yield Signers(lab)
    for place in lab.directory.glob("*.plan*"):
        place.unlink()


def events(lab: Lab, host: str) -> list[str]:
    return re.findall(r"event=(\S+)", lab.world.sh(host, f"cat {JOURNAL}"))


def test_no_change_passes_without_approvals_but_undo(lab: Lab, signers: Signers) -> None:
    asking, plain = signers.inventory(), INVENTORY
    refused = lab.wgorch("up", asking, "--yes", code=3).stderr
    assert "a change of network office needs 2 approvals" in refused
    assert "wgorch plan -o change.plan" in refused
    assert "needs 2 approvals and has 1 (anna@example.net)" in signers.apply(asking, "anna", code=3)
    assert {} == lab.differences()
    said = signers.apply(asking, "anna", "ben")
    assert "up complete" in said
    for host in HOSTS:
        assert "approved=anna@example.net,ben@example.net" in lab.world.sh(host, f"cat {JOURNAL}")
    assert "approved by anna@example.net, ben@example.net" in lab.wgorch("history", asking).stdout
    lab.wgorch("up", asking, "--yes")  # nothing to do

    # From here on no inventory, no limit and no other controller gets by without them.
    before = {host: events(lab, host) for host in HOSTS}
    weaker = signers.inventory(("38371", "38379"), needs=1)
    for argv in (
        ("up", plain, "--yes"),
        ("up", weaker, "--yes"),
        ("up", lab.edited(("38371", "38379")), "--yes", "--limit", "home"),
        ("up", weaker, "--yes", "--batch", "1", "--stop-after", "1"),
        ("teardown", plain, "--yes"),
        ("teardown", plain, "--yes", "--limit", "home"),
        ("teardown", "--host", "root@192.168.0.9", "--yes"),
        ("rotate-key", "home", "-i", plain, "--yes"),
    ):
        for where in ({}, OTHER):
            done = lab.wgorch(*argv, code=3, **where)
            assert "needs 2 approvals" in done.stderr, (argv, done.stderr)
    assert "needs 2 approvals and has 1" in signers.apply(weaker, "carl", code=3)
    assert before == {host: events(lab, host) for host in HOSTS}

    # A new key is approved as any other change is.
    hint = lab.wgorch("rotate-key", "home", "-i", asking, "--yes", code=3).stderr
    assert "wgorch plan --rotate-key home -o change.plan" in hint
    old = lab.world.sh("home", "wg show wg0 public-key")
    signers.apply(asking, "anna", "ben", planned=("--rotate-key", "home"))
    assert lab.world.sh("home", "wg show wg0 public-key") != old
    assert lab.world.ping("home", "192.168.2.1")

    # What is held is had back by anyone.
    signers.apply(signers.inventory(("38371", "38379")), "ben", "carl", code=8, more=("--hold", "5m"))
    lab.wgorch("rollback", "-i", asking, **OTHER)
    assert "38371" in lab.world.sh("bcc", "wg show wg0 listen-port")

    # A relay that is off hides the record, not the rule.
    lab.world.power_off("bcc")
    assert "needs 2 approvals" in lab.wgorch("teardown", "--host", "root@192.168.0.9", "--yes", code=3, **OTHER).stderr
    lab.world.power_on("bcc")
    lab.wait(lambda: lab.wgorch("status", asking, code=None).returncode == 0, 60, "the relay to be back")

    # One of the signers is replaced: those of the rule in force approve it, the new one does not.
    names = (lab.directory / "allowed_signers").read_text().replace("ben@", "dora@")
    (lab.directory / "allowed_signers").write_text(names)
    assert "has 1 (anna@example.net)" in signers.apply(signers.inventory(needs=1), "anna", code=3)
    signers.apply(signers.inventory(), "ben", "anna")

    signers.apply(plain, "anna", "carl")
    assert "approve" not in lab.world.sh("home", "head -n 20 /var/lib/wgorch/office/boot")
    lab.wgorch("teardown", plain, "--yes", "--purge")
    assert {} == lab.differences()


def test_a_plan_that_was_edited_or_signed_elsewhere_is_refused(lab: Lab, signers: Signers) -> None:
    asking = signers.inventory()
    plan = signers.plan(asking, "anna", "ben")
    shown = lab.wgorch("show", plan).stdout
    assert "approved by anna@example.net, ben@example.net" in shown
    other = signers.plan(signers.inventory(("38371", "38379")))
    for path in lab.directory.glob(f"{plan.name}.*.sig"):
        (lab.directory / path.name.replace(plan.name, other.name)).write_text(path.read_text())
    refused = lab.wgorch("apply", other, "--yes", code=3).stderr
    assert "has 0" in refused
    assert "incorrect signature" in refused
    (lab.directory / "eve").unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(lab.directory / "eve")], check=True)
    said = lab.wgorch("approve", other, "--key", lab.directory / "eve", code=3).stderr
    assert "the signature is none of a signer" in said
    assert {} == lab.differences()
