"""Where the integrations come from."""
