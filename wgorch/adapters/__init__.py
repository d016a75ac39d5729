"""The other owners of a host (firewalld, nft, start-up systems, package managers) and how to speak to each; pure."""
