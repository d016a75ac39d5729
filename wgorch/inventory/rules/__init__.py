"""Rules across the fields of an inventory."""
