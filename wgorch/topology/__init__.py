"""Who peers with whom, and what each host needs for it; pure."""
