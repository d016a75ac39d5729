"""Sections of the file: network, hosts and devices with their SSH targets, links and flows."""
