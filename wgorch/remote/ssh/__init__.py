"""SSH connections by fabric and paramiko; the only place that imports them."""
