"""Inventories from other tools and machines, and files for other tools."""
