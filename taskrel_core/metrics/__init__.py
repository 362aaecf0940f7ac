"""Other people's scores, one a file; ``base`` has their registry, BASELINES."""
