"""Checkbox, the partner that issues fiscal receipts: its HTTP API in, the core's words out.

Nothing of Checkbox's JSON leaves this package.
"""
