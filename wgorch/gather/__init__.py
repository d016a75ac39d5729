"""Ask hosts everything that a plan rests on, in one exchange, and read the answers."""
