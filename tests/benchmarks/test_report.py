"""The tables of docs/performance.md, out of recorded results."""

from __future__ import annotations

from typing import Any

from benchmarks.growth import growths
from benchmarks.report import BEGIN, END, PAGE, Conditions, memory, page, recorded, tables


def row(runner: str, wall_s: float, **others: Any) -> dict[str, Any]:
    """One measured run of four hosts."""
    plain: dict[str, Any] = {
        "hosts": 4,
        "rtt_ms": 0,
        "jump": False,
        "sudo": False,
        "runner": runner,
        "again": False,
        "wall_s": wall_s,
        "controller_cpu_s": 0.2,
        "hosts_cpu_s": 0.5,
        "peak_pss_mib": None,
        "ssh_handshakes": 4,
        "ssh_channels": 8,
        "wrong": [],
    }
    return plain | others


def test_a_table_has_medians_and_ratios_and_the_fastest_first() -> None:
    rows = [row("wgorch", 1.2), row("wgorch", 0.8), row("wgorch", 1.0), row("floor", 0.5)]

    assert [
        "",
        "4 hosts, first run",
        "",
        "| runner | wall s: median (min-max) | × floor | × wgorch | controller CPU ms a host | hosts CPU s "
        "| handshakes, channels a host | runs |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| floor | 0.50 (0.50-0.50) | 1.00 | 0.50 | 50.0 | 0.50 | 1, 2 | 1 |",
        "| wgorch | 1.00 (0.80-1.20) | 2.00 | 1.00 | 50.0 | 0.50 | 1, 2 | 3 |",
    ] == list(tables(rows))


def test_a_wrong_run_is_counted_and_a_missing_floor_is_not_compared_with() -> None:
    rows = [row("wgorch", 1.0), row("wgorch", 1.0, wrong=["h1: pings"])]

    assert "| wgorch | 1.00 (1.00-1.00) | - | 1.00 | 50.0 | 0.50 | 1, 2 | 2, 1 WRONG |" == list(tables(rows))[-1]


def test_a_second_run_is_compared_with_the_floor_that_reads_only() -> None:
    rows = [row("floor-read-only", 0.25, again=True), row("floor", 0.5, again=True), row("wgorch", 0.5, again=True)]

    assert "| wgorch | 0.50 (0.50-0.50) | 2.00 |" in "\n".join(tables(rows))


def test_runs_under_other_conditions_have_tables_of_their_own() -> None:
    assert "16 hosts, 100 ms round trip, through a jump host, as a user with sudo, first run" == str(
        Conditions(100.0, True, True, 16, False)
    )
    found = list(tables([row("floor", 1), row("floor", 1, rtt_ms=20), row("floor", 1, again=True)]))
    assert ["4 hosts, first run", "4 hosts, second run, nothing to change", "4 hosts, 20 ms round trip, first run"] == [
        line for line in found if line.startswith("4 hosts")
    ]


def test_runs_with_memory_watched_are_in_the_table_of_memory_only() -> None:
    rows = [
        row("wgorch", 1, peak_pss_mib=40.4),
        row("wgorch", 1, peak_pss_mib=41.2),
        row("floor", 1, peak_pss_mib=12.0),
    ]

    assert [] == list(tables(rows))
    assert ["| wgorch | 41 |", "| floor | 12 |"] == list(memory(rows))[-2:]


def test_the_line_of_growth_fits_its_points() -> None:
    rows = [row("floor", 0.1 + 0.02 * hosts, hosts=hosts) for hosts in (4, 8, 16)]

    assert {"floor": "0.10 s + 20.00 ms a host (of 3 sizes; 0% off at most)"} == {
        name: str(line) for name, line in growths(rows, {}).items()
    }


def test_the_page_shows_the_recorded_results() -> None:
    rows, pure, versions = recorded()
    made = "\n".join(["", "", *page(rows, pure, versions, growths(rows, pure)), "", ""])

    assert made == PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
