"""From a tidy table to axes, one file a notebook. Draws, never computes a result, never saves; needs no torch."""
