"""Variables that mean nothing, most likely typing errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from config.setting_lines import PREFIX, variable
from config.settings import Settings


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each ``FISCAL_*`` variable that means nothing, most likely a typing error.

    Kubernetes adds variables of its own for a Service that is named ``fiscal-…``; they are left out.
    """
    known = {variable(name) for name in Settings.model_fields}
    services = tuple(
        name.removesuffix("SERVICE_HOST") + part
        for name in environ
        if name.endswith("_SERVICE_HOST")
        for part in ("SERVICE_", "PORT")
    )
    unknown = sorted(
        name
        for name in environ
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(services)
    )
    return [_unknown(name, known) for name in unknown]


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)
    return f"{name} is not known" + (f"; is {near[0]} meant?" if near else "")
