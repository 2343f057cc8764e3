"""Memory of large messages goes back to the operating system when they are done.

glibc takes large blocks from the system one by one, but raises the size from which it does so to that of the
largest block that was freed. From then on large bodies lie in the heaps of threads, and leave holes there:
400 waiting orders of 900 KB took 600 MB in two processes; with a fixed limit they take 126 MB.
"""

from __future__ import annotations

import ctypes

#: From mallopt(3): the number of the parameter.
_M_MMAP_THRESHOLD = -3
_LIMIT = 128 * 1024


def give_back_large_blocks() -> None:
    """For this process and those that it forks. Another C library than glibc is left as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LIMIT)
