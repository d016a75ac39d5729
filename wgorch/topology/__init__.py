"""From an inventory to each host's Desired: peers, allowed-ips, routes, forwarding, packet paths; pure."""
