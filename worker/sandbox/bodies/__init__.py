"""Bodies of the answers."""
