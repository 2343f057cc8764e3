"""Turns Bimp customer orders into Checkbox fiscal receipts."""

__version__ = "0.1.0"
