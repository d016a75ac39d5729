"""What both SSH clients share: configuration, routes, host keys, failures; and the client over fabric and paramiko."""
