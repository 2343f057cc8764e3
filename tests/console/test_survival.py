"""What breaks in a thread of the console is shown on its page, and the next look or job goes on."""

from __future__ import annotations

import pytest

from worker.console import snapshot
from worker.console.jobs import Job
from worker.console.snapshot import NothingSeen, Snapshot

WORDS = "an order, whose words are nobody's business"


def test_a_look_that_breaks_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the page would show old letters for ever, as if they were those of now."""

    def breaks(*_: object) -> None:
        raise AssertionError(WORDS)

    monkeypatch.setattr(snapshot, "letters_alone", breaks)
    letters = Snapshot()
    letters.start()
    for _ in range(2):
        with pytest.raises(NothingSeen) as caught:
            letters.view()
        assert str(caught.value) == "the letters could not be read: AssertionError"
    letters.end()


class Broken(Job):
    """Ends in an error that nobody thought of."""

    done = 0

    def status(self, language: str) -> str:
        return "0 of 1"

    def work(self) -> None:
        raise KeyError(WORDS)


def test_a_job_that_breaks_says_so() -> None:
    """It is over, and not done."""
    job = Broken("somebody", 1)
    job.start()
    job.join()
    assert (job.is_over, job.fault) == (True, "it broke: KeyError")
