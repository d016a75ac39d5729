"""Rules across the fields of an inventory, by subject."""
