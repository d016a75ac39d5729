"""Inventories from other tools and from machines; files for other tools."""
