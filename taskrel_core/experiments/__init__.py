"""What can be a row of a table, one kind per file, each of which computes itself; ``run`` makes tables of them."""
