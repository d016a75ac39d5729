"""The speed of wgorch beside other tools; `python -m benchmarks` measures, docs/performance.md shows the results."""
