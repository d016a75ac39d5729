"""Sessions with hosts: one root shell each, over SSH, on this machine, or on the workers of a cluster."""
