"""What a metric of the worker is: name, type, labels, unit and meaning, in one place.

``docs/metrics.md`` is made from it, and tests hold dashboards and alert rules against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import GaugeMetricFamily

from worker.telemetry.counting import Counter, Gauge, Histogram, Mode

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as operators know it; ``unit`` is empty for plain counts."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    meaning: str


#: Every metric, in the order of their declaration.
CATALOGUE: dict[str, Described] = {}


def _describe(name: str, kind: Kind, meaning: str, labels: Sequence[str], unit: str) -> Described:
    assert name not in CATALOGUE
    CATALOGUE[name] = described = Described(name, kind, tuple(labels), unit, meaning)
    return described


def counter(name: str, meaning: str, labels: Sequence[str] = (), unit: str = "") -> Counter:
    """A counter of the worker processes; what a process counted stays after its end."""
    _describe(name, "counter", meaning, labels, unit)
    return Counter(name, meaning, labels)


def histogram(
    name: str, meaning: str, buckets: Sequence[float], labels: Sequence[str] = (), unit: str = "seconds"
) -> Histogram:
    """A histogram of the worker processes."""
    _describe(name, "histogram", meaning, labels, unit)
    return Histogram(name, meaning, labels, buckets)


def gauge(name: str, meaning: str, mode: Mode, labels: Sequence[str] = (), unit: str = "") -> Gauge:
    """A gauge of the worker processes."""
    _describe(name, "gauge", meaning, labels, unit)
    return Gauge(name, meaning, labels, mode)


def seen(name: str, meaning: str, labels: Sequence[str] = (), unit: str = "") -> Described:
    """A gauge that the monitor makes at each scrape, so that it can leave out what it does not know."""
    return _describe(name, "gauge", meaning, labels, unit)


def family(described: Described) -> GaugeMetricFamily:
    """The empty family of a gauge of the monitor's."""
    return GaugeMetricFamily(described.name, described.meaning, labels=described.labels)
