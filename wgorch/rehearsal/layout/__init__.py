"""The layout of an inventory's world: which machines, in which segments, with which addresses."""
