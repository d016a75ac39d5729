"""Talking to hosts: a shell that stays open, the program texts it runs, the referee that a change obeys there."""
