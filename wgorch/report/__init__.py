"""What people and programs read: tables and lines for a terminal, JSON, Prometheus metrics, the map."""
