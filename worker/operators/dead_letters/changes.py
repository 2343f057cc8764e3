"""Replaying or discarding dead letters: one after another, at a rate, with a report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pika.exceptions import NackError, UnroutableError

from worker.operators.dead_letters.access import DeadLetters, Pass
from worker.operators.dead_letters.look_through import LookThrough
from worker.rabbit.dead_letter import DeadLetter


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to each letter, and in which words."""

    command: str
    done: str
    #: Takes the current letter out of the queue. May raise pika's ``UnroutableError`` or ``NackError``.
    apply: Callable[[LookThrough, DeadLetter, DeadLetters], None]
    #: Letters that were replayed so often before are left alone.
    max_replays: int | None = None

    def withholds(self, letter: DeadLetter) -> bool:
        return self.max_replays is not None and letter.replays >= self.max_replays


@dataclass(slots=True)
class Report:
    """What became of the letters so far."""

    done: int = 0
    failed: int = 0
    withheld: int = 0
    #: In a dry run.
    would: int = 0


def replaying(max_replays: int | None) -> Change:
    """Sending letters back; None sends them however often they came back."""
    return Change("replay", "replayed", _send_back, max_replays)


def discarding(keep: Callable[[DeadLetter], None]) -> Change:
    """Taking letters away for good; ``keep`` gets each before it is gone."""

    def remove(look: LookThrough, letter: DeadLetter, _: DeadLetters) -> None:
        keep(letter)
        look.remove()

    return Change("discard", "discarded", remove)


def _send_back(look: LookThrough, letter: DeadLetter, letters: DeadLetters) -> None:
    """Gone from here only when it is there."""
    look.send(letter.queue or letters.settings.queue, letter.delivery.body, letter.replay_properties())
    look.remove()


#: Hears of each letter that is done, and of each that the broker refused, with the reason in words.
Heard = Callable[[DeadLetter, str | None], None]


def change_each(
    what: Change,
    letters: DeadLetters,
    look: Pass,
    report: Report,
    heard: Heard,
    *,
    rate: float,
    limit: int | None,
) -> None:
    """Do it to the letters of a pass, ``rate`` a second; ``report`` counts as it goes."""
    due = time.monotonic()
    for letter in look.letters():
        if what.withholds(letter):
            report.withheld += 1
            continue
        look.wait(due)
        if look.stopping():
            return
        due = max(due, time.monotonic() - 1 / rate) + 1 / rate if rate else 0.0
        try:
            what.apply(look.queue, letter, letters)
        except (UnroutableError, NackError) as refusal:
            report.failed += 1
            heard(
                letter,
                "the broker refused it" if isinstance(refusal, NackError) else "its queue is not there",
            )
        else:
            report.done += 1
            heard(letter, None)
        if report.done + report.failed == limit:
            return
