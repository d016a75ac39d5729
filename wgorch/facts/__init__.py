"""What is asked of a host, and how its answers are read; text in, frozen values out."""
