"""Everything that runs on a host: POSIX sh, and the library that scripts are put together from.

A program declares its parameters at its top (``: "${network:?}"``; ``?`` alone where one may be empty). A function names its
arguments in its first line, or in a comment behind its name where they are used by number. sh has no locals: a function must
not set a variable of a caller, and returns values in variables whose names begin with ``reply_``. Comments within functions
stay here; the one before a function goes into scripts that people read on a host.
"""
