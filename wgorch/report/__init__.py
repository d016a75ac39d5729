"""What people see: tables and lines for a terminal, JSON for programs. The only place that prints."""
