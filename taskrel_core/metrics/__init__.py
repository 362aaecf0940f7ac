"""Transferability metrics of other authors, one per file; ``base`` has their registry, BASELINES."""
