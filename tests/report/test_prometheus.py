"""Prometheus' own parser reads the metrics."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.report.samples import TOPOLOGY, healthy, lost
from wgorch.report.prometheus import METRICS, exposition, write


def test_prometheus_reads_what_we_write() -> None:
    families = {f.name: f for f in text_string_to_metric_families(exposition(TOPOLOGY, healthy()))}

    assert {s.labels["host"]: s.value for s in families["wgorch_reached"].samples} == dict.fromkeys(healthy().seen, 1.0)
    sessions = families["wgorch_peer_received_bytes"].samples
    assert {("home", "bcc"), ("company", "bcc")} <= {(s.labels["host"], s.labels["peer"]) for s in sessions}
    assert all(s.value > 0 for s in sessions)
    assert {f.documentation for f in families.values()} == {text for _, text in METRICS.values()}


def test_an_unreachable_host_is_0() -> None:
    families = {f.name: f for f in text_string_to_metric_families(exposition(TOPOLOGY, lost()))}

    assert [0.0] == [s.value for s in families["wgorch_reached"].samples if s.labels["host"] == "office"]


def test_the_file_for_a_collector_appears_whole(tmp_path: Path) -> None:
    place = tmp_path / "wgorch.prom"
    place.write_text("old")
    write("new\n", place)

    assert place.read_text() == "new\n"
    assert [place] == list(tmp_path.iterdir())
