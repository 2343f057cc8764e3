"""The chaos suite: orders go through, and returns of them, while everything around the worker fails.

    python -m tests.chaos --orders 2000 --cashiers 50 --seed 1

The verdict comes from the sandbox's ledger and from the broker's queues, never from the worker's word. A
journal listens meanwhile, and `reconcile` has to find nothing but the faults that are planted at the end.
"""
