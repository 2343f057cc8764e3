"""Thousands of integrations fit into a small worker."""

from __future__ import annotations

import gc
import time
import tracemalloc
from pathlib import Path

from tests.config.conftest import load

INTEGRATIONS = 5_000
MEGABYTE = 1024 * 1024
ITEM = """\
  - id: shop-{n}
    name: ФОП Приклад {n}
    shifts: auto
    cashiers:
      - {{id: olena, name: Каса 1, employee: e0000000-0001-4000-8000-{n:012},
         login: olena-{n}, password: p-{n}, license_key: key-{n}-1}}
      - {{id: petro, name: Каса 2, employee: e0000000-0002-4000-8000-{n:012}, pin_code: 0{n:05},
         license_key: key-{n}-2}}
    tax_rates:
      - {{rate: 20, code: 1}}
      - {{rate: 7, code: 2}}
      - {{rate: 0, code: 3}}
      - {{rate: not_accountable, code: 8}}
"""


def test_five_thousand_integrations(tmp_path: Path) -> None:
    """5,000 integrations keep less than 50 MB, need less than that while they are read, and share rates."""
    path = tmp_path / "integrations.yaml"
    path.write_text("integrations:\n" + "".join(ITEM.format(n=n) for n in range(INTEGRATIONS)))
    start = time.perf_counter()
    load(path)
    seconds = time.perf_counter() - start

    gc.collect()
    tracemalloc.start()
    try:
        loaded = load(path)
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{seconds:.2f} s, {kept / MEGABYTE:.1f} MB kept, {peak / MEGABYTE:.1f} MB at the peak")
    assert len(loaded.integrations) == INTEGRATIONS
    assert len({id(integration.tax_rates) for integration in loaded.integrations.values()}) == 1
    assert kept < 50 * MEGABYTE
    assert peak < 50 * MEGABYTE
