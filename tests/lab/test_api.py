"""The Python API, by the example in its own documentation."""

from __future__ import annotations

from tests.lab.conftest import INVENTORY, Lab

PROGRAM = """
from wgorch import load, plan, status, teardown, up, verify

inventory = load({inventory!r})
for host, its in plan(inventory).plans.items():
    print(host, [f"{{change.sign}} {{change.what}}" for change in its.changes])
outcome = up(inventory)
assert outcome.code == 0 and outcome.verdict.works
assert plan(inventory).code == 0
assert status(inventory).code == 0
assert verify(inventory).verdict.works
outcome = up(load({smaller!r}))
assert (outcome.code, outcome.removed, outcome.orphans) == (0, ("home",), {{}})
assert teardown(inventory, purge=True).code == 0
print("done")
"""


def test_a_program_does_what_the_command_line_does(lab: Lab) -> None:
    smaller = lab.edited(
        ("  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n", ""),
        ("  - home -> 10.10.13.61", "  - bcc -> 10.10.13.61"),
    )
    text = PROGRAM.format(inventory=str(INVENTORY), smaller=str(smaller))
    lab.world.write("controller", "/root/example.py", text)
    import sys

    done = lab.world.run(
        "controller", sys.executable, "/root/example.py", env={"PYTHONPATH": str(INVENTORY.parents[1])}, timeout=120
    )
    lab.world.sh("controller", "rm /root/example.py")

    assert "+ interface wg0" in done.stdout
    assert not lab.world.ping("home", "10.10.13.61")
    assert done.stdout.endswith("done\n")


def test_status_is_watched_and_scraped(network: Lab) -> None:
    text = network.wgorch("status", INVENTORY, "--prometheus").stdout
    assert 'wgorch_reached{network="office",host="home"} 1' in text
    watching = network.spawn("status", INVENTORY, "--watch", "0.5")
    try:
        network.wait(lambda: watching.stdout and "bcc" in watching.stdout.readline(), 20, "a table")
    finally:
        watching.terminate()
        watching.wait(10)
