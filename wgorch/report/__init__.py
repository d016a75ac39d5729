"""What people see: tables and lines for a terminal, JSON for programs. Verbs print through it."""
