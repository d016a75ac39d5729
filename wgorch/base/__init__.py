"""Shared values without a home above: value classes, text, addresses, keys, assets; standard library only."""
