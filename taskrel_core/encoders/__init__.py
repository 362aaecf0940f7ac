"""Pictures to features; ``encoders`` has the registry, ENCODERS."""
