"""Names to pictures and labels; ``datasets`` has the registry, DATASETS."""
