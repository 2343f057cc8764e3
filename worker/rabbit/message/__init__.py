"""The message from Bimp: reading, checking and mapping it."""
