"""Change hosts: lock, arm the lease, do, verify, confirm; or roll back."""
