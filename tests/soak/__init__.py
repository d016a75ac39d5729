"""A soak: random networks, edits, faults, kills and reboots, judged by readings that share no code with the program.

``python -m tests.soak --rounds 20 --seed 1``. A round begins and ends with hosts as they were built, and depends on its
seed alone: ``--seed 1 --only 7`` repeats round 7.
"""
