"""Checks of the configuration against the live services."""
