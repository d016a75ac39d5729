"""Whatever a host answers: no traceback, and no byte outside its place."""

from __future__ import annotations

import subprocess
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.conftest import LONG, SEED
from tests.hostile import RECORDED, Answers, faults, mutated, outputs, recorded

CASES = 10_000 if LONG else 400
CHUNK = 100


@pytest.mark.parametrize("chunk", range(CASES // CHUNK))
def test_no_mutation_of_an_answer_ends_badly(chunk: int) -> None:
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        seed = f"{SEED}/{number}"
        began = time.monotonic()
        try:
            found = outputs(mutated(seed))
            wrong = list(faults(found))
        except Exception as error:
            raise AssertionError(f"mutation {seed}: {type(error).__name__}: {error}") from error
        assert wrong == [], f"mutation {seed}: {wrong}"
        assert time.monotonic() - began < 10, f"mutation {seed} took too long"
        if number % 20 == 0:
            for kind, text in found.items():
                if kind.split(" ")[0] in ("do", "boot", "undo", "probe", "shell"):
                    parsed = subprocess.run(["dash", "-n"], input=text, text=True, capture_output=True, check=False)
                    assert (kind, 0, "") == (kind, parsed.returncode, parsed.stderr), f"mutation {seed}"


FLOODS: dict[str, Callable[[str], str]] = {
    "rules": lambda text: text.replace("\n*filter", "\n*filter" + "\n-A INPUT -j ACCEPT" * 190_000, 1),
    "routes": lambda text: text.replace(
        "default via", "10.0.0.0/24 via 10.0.0.1 dev eth0\n" * 110_000 + "default via", 1
    ),
    "links": lambda text: text.replace(
        "wgorch-answer links\n", "wgorch-answer links\n" + "eth1 1500 0x1003 \n" * 190_000, 1
    ),
    "files": lambda text: text.replace(
        "wgorch-answer files\n", "wgorch-answer files\n" + "recorded sysctl a 0 1\n" * 170_000, 1
    ),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_costs_no_memory_to_speak_of(kind: str) -> None:
    honest = recorded(RECORDED[0])
    flooded = {host: FLOODS[kind](text) for host, text in honest.facts.items()}
    assert any(len(text) > 3_000_000 for text in flooded.values())
    peaks = []
    for facts in (honest.facts, flooded):
        tracemalloc.start()
        outputs(Answers(facts, honest.seen, honest.probe))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    print(kind, peaks)
    assert (peaks[1] - peaks[0]) / 3 < 16 << 20
