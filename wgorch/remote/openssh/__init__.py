"""SSH connections over OpenSSH's own client; paramiko is not imported for them."""
