"""Value classes, text, IP addresses, keys and assets for all other folders; standard library only."""
