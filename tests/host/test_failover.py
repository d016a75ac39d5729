"""The decisions of the failover script: what becomes of it as pings of two relays are answered or not, second by second."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wgorch.base.assets import asset
from wgorch.base.sh import quote_words

HARNESS = """
lead_into() { :; }
active=1 relay_of_active=bcc missed_1=0 now=0
load
while read -r now number what; do
    case $what in ok) heard "$number" ;; miss) missed "$number" ;; esac
    consider
    set_paces
    marks=
    for n in 1 2; do [ ! -e "$run/seldom.$n" ] || marks="$marks $n"; done
    echo "$active $marks"
done
"""
SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}

Chance = Callable[[int, int], float]
"""The chance that a ping is answered, by relay (1 or 2) and second."""


@contextmanager
def script(place: Path, shell: str, back: int) -> Iterator[subprocess.Popen[str]]:
    parameters = {
        "network": "office",
        "interface": "wg0",
        "directory": str(place),
        "interval": "1",
        "misses": "3",
        "back": str(back),
        "table": "1200001",
        "nexthop4": "1200001",
        "nexthop6": "",
        "nets": "10.0.0.0/8",
    }
    head = "\n".join(f"{name}={quote_words([text])}" for name, text in parameters.items())
    body = asset("host", "failover.sh").replace("/run/wgorch-$network", str(place / "run"))
    choices = "choice wg0 10.0.0.1 bcc\nchoice wg0b 10.0.0.2 bcc2\n"
    (place / "failover").write_text(f"{head}\n{body}\n{choices}{HARNESS}")
    process = subprocess.Popen(
        [*SHELLS[shell], str(place / "failover")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.communicate(timeout=10)


def switches(
    place: Path, chance: Chance, seconds: int, *, seed: int = 1, shell: str = "dash", back: int = 60
) -> list[int]:
    """The seconds at which the host changed its relay."""
    dice, found, active = random.Random(seed), [], "1"
    with script(place, shell, back) as process:
        assert process.stdin
        assert process.stdout
        marks: list[str] = []
        for now in range(seconds):
            for number in (1, 2):
                if str(number) in marks and now % 10:
                    continue
                what = "ok" if dice.random() < chance(number, now) else "miss"
                process.stdin.write(f"{now} {number} {what}\n")
                process.stdin.flush()
                was, (active, *marks) = active, process.stdout.readline().split()
                if was != active:
                    found.append(now)
    return found


def both_ways(loss: float) -> float:
    """The chance that a ping and its reply pass a link that loses so much each way."""
    return (1 - loss) ** 2


@pytest.mark.parametrize("shell", SHELLS)
def test_a_relay_that_dies_is_left_at_the_third_miss_and_taken_again_after_a_quiet_time(
    tmp_path: Path, shell: str
) -> None:
    dead = range(100, 160)
    found = switches(tmp_path, lambda n, now: 0 if n == 1 and now in dead else 1, 400, shell=shell)
    assert len(found) == 2
    assert 102 <= found[0] <= 103
    assert 160 + 60 <= found[1] <= 160 + 60 + 30


def test_where_both_are_dead_it_stays_and_takes_the_first_that_answers(tmp_path: Path) -> None:
    def chance(number: int, now: int) -> float:
        return 1 if now < 50 or (now >= 90 and number == 2) else 0

    found = switches(tmp_path, chance, 200)
    assert len(found) == 1
    assert 90 <= found[0] <= 101


def test_the_quiet_time_doubles_where_the_preferred_relay_fails_again_and_again(tmp_path: Path) -> None:
    """It answers for 100 s, and is dead for 20 s, for two hours."""
    found = switches(tmp_path, lambda n, now: 0 if n == 1 and now % 120 < 20 else 1, 7200, back=10)
    returns = [b - a for a, b in zip(found[::2], found[1::2], strict=False)]
    assert returns == sorted(returns)
    assert returns[-1] >= 8 * 10
    assert len(found) < 40  # of 60 failures


@pytest.mark.parametrize("seed", range(8))
def test_a_relay_that_loses_40_percent_is_left_within_20_s(tmp_path: Path, seed: int) -> None:
    found = switches(tmp_path, lambda n, now: both_ways(0.4) if n == 1 and now >= 100 else 1, 200, seed=seed)
    assert len(found) == 1
    assert found[0] <= 120


@pytest.mark.parametrize("seed", range(8))
def test_a_relay_that_loses_30_percent_for_ten_minutes_is_left_once(tmp_path: Path, seed: int) -> None:
    found = switches(tmp_path, lambda n, now: both_ways(0.3) if n == 1 and now >= 100 else 1, 700, seed=seed)
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(8))
def test_where_both_lose_30_percent_for_ten_minutes_it_does_not_flap(tmp_path: Path, seed: int) -> None:
    found = switches(tmp_path, lambda n, now: both_ways(0.3) if now >= 100 else 1, 700, seed=seed)
    assert len(found) <= 6


def test_a_mark_drains_one_relay(tmp_path: Path) -> None:
    with script(tmp_path, "dash", 60) as process:
        assert process.stdin
        assert process.stdout
        said = []
        for now in range(20):
            if now == 10:
                (tmp_path / "drain.wg0").write_text("")
            for number in (1, 2):
                process.stdin.write(f"{now} {number} ok\n")
                process.stdin.flush()
                said.append(process.stdout.readline().split())
    assert said[19] == ["1"]
    assert said[-1] == ["2", "1"]
    assert "drained" in (tmp_path / "run" / "active").read_text()
