"""Ansible inventories, in INI and YAML, with group_vars and host_vars, read as Ansible reads them."""
