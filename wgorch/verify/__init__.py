"""Whether the network does what it is for, measured from the hosts themselves."""
