"""What other programs of a host expect of wgorch: firewalld, nft, start-up systems, package and network managers."""
