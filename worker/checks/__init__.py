"""Checks of an integration against Checkbox: one room for doctor, notice and console."""
