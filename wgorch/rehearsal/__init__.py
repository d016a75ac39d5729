"""A world in network namespaces: internet, NAT routers, LANs, hosts with a real sshd, systemd and WireGuard."""
