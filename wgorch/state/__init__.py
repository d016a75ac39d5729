"""What is compared: the State of a host, the rules and peers in it, and the Changes between two States."""
