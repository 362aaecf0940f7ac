"""From rows to numbers. Needs no torch."""
