"""One packet followed for real: what each host on its path saw of it, and where it was dropped."""
