"""A module for each version; a version that was released never changes."""
