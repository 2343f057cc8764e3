"""Counters, gauges and histograms of the worker. What only counts decides nothing: no call raises."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from itertools import accumulate
from operator import itemgetter
from typing import Literal, Self

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from worker.telemetry.tally import NONE, TALLY, Rows

#: How the gauges of several processes become one: the greatest, or the one that was set last.
Mode = Literal["max", "latest"]
_metrics: list[_Metric] = []


class _Metric(ABC):
    """A metric, and with its labels' values one line of it."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str], width: int) -> None:
        self.name = name
        self._meaning = meaning
        self._labels = tuple(labels)
        self._width = width
        self._bound: dict[tuple[str, ...], Self] = {}
        if not labels:
            self.bind(())
        _metrics.append(self)

    def labels(self, *values: str) -> Self:
        """The metric for these values; it is shown from now on."""
        bound = self._bound.get(values)
        if bound is None:
            assert len(values) == len(self._labels)
            bound = self._bound[values] = copy(self)
            bound.bind(values)
        return bound

    def bind(self, values: tuple[str, ...]) -> None:
        """Stand for these values from now on."""
        self._key = json.dumps([self.name, *values]).encode()
        self._change()

    def _change(self, added: Mapping[int, float] = NONE, put: Mapping[int, float] = NONE) -> None:
        TALLY.change(self._key, self._width, added, put)

    @abstractmethod
    def family(self, rows: Rows) -> Metric:
        """What all processes counted together, for a page."""


class Counter(_Metric):
    """What a process counted stays after its end."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        super().__init__(name, meaning, labels, 1)

    def inc(self, amount: float = 1) -> None:
        self._change(added={0: amount})

    def family(self, rows: Rows) -> Metric:
        shown = CounterMetricFamily(self.name, self._meaning, labels=self._labels)
        for values, counts in rows.items():
            shown.add_metric(values, sum(count for (count,) in counts))
        return shown


class Gauge(_Metric):
    """The greatest value of all processes, or the one that was set last."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str], mode: Mode) -> None:
        super().__init__(name, meaning, labels, 2)
        self._mode = mode

    def set(self, value: float) -> None:
        # The monotonic clock is one for all processes of a machine.
        self._change(put={0: value, 1: time.monotonic()})

    def withdraw(self) -> None:
        """This process does not know it any more: what another one has set is shown, or nothing."""
        self._change(put={0: math.nan, 1: 0.0})

    def withdraw_all(self) -> None:
        """The same for all labels, also those of a dead process that this one replaces."""
        for values in TALLY.own(self.name):
            self.labels(*values).withdraw()

    def set_to_current_time(self) -> None:
        self.set(time.time())

    def family(self, rows: Rows) -> Metric:
        shown = GaugeMetricFamily(self.name, self._meaning, labels=self._labels)
        leading = 0 if self._mode == "max" else 1
        for values, settings in rows.items():
            shown.add_metric(values, max(settings, key=itemgetter(leading))[0])
        return shown


class Histogram(_Metric):
    """A count for each bucket, one for what is above them, and the sum."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self._buckets = (*buckets, math.inf)
        super().__init__(name, meaning, labels, len(self._buckets) + 1)

    def observe(self, value: float) -> None:
        self._change(added={bisect_left(self._buckets, value): 1, len(self._buckets): value})

    def family(self, rows: Rows) -> Metric:
        shown = HistogramMetricFamily(self.name, self._meaning, labels=self._labels)
        bounds = [floatToGoString(bound) for bound in self._buckets]
        for values, counts in rows.items():
            *each, total = map(sum, zip(*counts, strict=True))
            shown.add_metric(values, list(zip(bounds, accumulate(each), strict=True)), total)
        return shown


class Counted(Collector):
    """What all processes counted."""

    def collect(self) -> Iterable[Metric]:
        rows = TALLY.rows()
        return [metric.family(rows[metric.name]) for metric in _metrics if metric.name in rows]


REGISTRY.register(Counted())
