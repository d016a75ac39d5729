"""Everything that runs on a host: POSIX sh, and the library that scripts are put together from."""
