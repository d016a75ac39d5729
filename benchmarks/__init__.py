"""How fast wgorch is, side by side with others; `python -m benchmarks` runs it, docs/performance.md tells what came out."""
