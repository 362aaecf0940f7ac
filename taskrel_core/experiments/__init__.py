"""What can be a row of a table, one kind a file, each of which computes itself; ``run`` makes tables of them."""
