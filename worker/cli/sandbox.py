"""``fiscal-worker sandbox``: a stand-in for Checkbox."""

from worker.sandbox.command import sandbox

__all__ = ["sandbox"]
