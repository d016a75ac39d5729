"""Draw the network as SVG, or as an interactive HTML page."""
