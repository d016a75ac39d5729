"""One packet followed for real: what each host on its way saw of it, and where it stopped."""
