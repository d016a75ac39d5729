"""Sources: members of a network that another tool knows, as the same sections that a file has.

Each source becomes nodes with the places where its values stand; `join` adds them to those of the inventory. What a
source may use of this machine, `permission` says.
"""
