"""SSH connections over fabric and paramiko; no other room imports these."""
