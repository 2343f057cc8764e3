"""Bimp's HTTP side: the archive check."""
