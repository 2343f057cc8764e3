"""Whether a worker is ready and why not, in a line for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readiness:
    """Ready while there is no reason against it; a warning is not one."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return not self.reasons

    @property
    def text(self) -> str:
        warnings = (f"warning: {warning}" for warning in self.warnings)
        return "; ".join((*(self.reasons or ("ok",)), *warnings)) + "\n"

    @property
    def json(self) -> str:
        return json.dumps(
            {"ready": self.is_ready, "reasons": self.reasons, "warnings": self.warnings}, ensure_ascii=False
        )
