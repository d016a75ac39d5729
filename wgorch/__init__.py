"""Build WireGuard networks between sites, over SSH, from one inventory."""

__version__ = "0.1.0"
