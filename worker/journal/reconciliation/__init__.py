"""Holds the journal against Checkbox's books, shift by shift."""
