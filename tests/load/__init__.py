"""Load runs: real processes, and figures that Checkbox's side (the sandbox's ledger and counters) confirms.

`python -m tests.load fleet|burst|isolation` prints them; `tests/system/test_rate.py` runs small ones.
"""
