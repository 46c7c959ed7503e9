"""One reading for all open pages: one at a time, and no page waits long for what is there."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

from grokscope.dashboard.state.data import Snapshot
from grokscope.store import MissingStoreError, StoreError

FRESH_S = 1.0
"""A snapshot this young is given again: many open pages cost the store no more than one."""

LONGEST_FRESH_S = 5.0
"""One that took long to make is given for as long as that took, so that reading takes half the time at most;
but no longer than this."""

RETRY_S = 3.0
"""After a failed reading the store is left alone for this long."""

PATIENCE_S = 5.0
"""A page waits this long for a reading; then it gets the last good snapshot, and is told how old that is."""

FIRST_S = 30.0
"""The same where there is nothing to show yet."""

_LARGE = 500
"""Runs from which on it takes time to look through all that is known of them."""

_SETTLING = Lock()
_settled = 0
"""Runs of the largest experiment that the search for garbage leaves out."""

REST_S = 1.0
"""Verdicts that a reading left out are made by another one soon: what was read is drawn first."""

Clock = Callable[[], float]
Names = Sequence[str] | None
Read = Callable[[int, Names], Snapshot]
"""Time in ms, and the names of the experiments if they are known -> a new snapshot."""


class _Reading:
    """One reading that goes on, on a thread of its own, however long the pages wait for it."""

    def __init__(self, began: float, *, wish: int) -> None:
        self.began = began
        self.wish = wish
        self.done = Event()
        self.snapshot: Snapshot | None = None
        self.error: BaseException | None = None


@dataclass(slots=True, kw_only=True)
class _Last:
    """How the last readings ended."""

    good: Snapshot | None = None
    took_s: float | None = None
    fresh_until: float = 0.0
    read_at: float = float("-inf")
    failure: StoreError | None = None
    retry_at: float = 0.0


class SharedReading:
    """Gives snapshots of one experiment; safe to use from several threads. No lock is held while it is read.

    Args:
        experiment: Its name; ``None`` for the newest.
        read: Reads it anew; may raise a ``StoreError``.
        clock: Seconds.
        patience_s: How long a page waits; see ``PATIENCE_S``.
    """

    def __init__(
        self, experiment: str | None, read: Read, *, clock: Clock, patience_s: float = PATIENCE_S
    ) -> None:
        self._experiment = experiment
        self._read = read
        self._clock = clock
        self._patience_s = patience_s
        self._lock = Lock()
        self._reading: _Reading | None = None
        self._last = _Last()
        self._unjudged = 0
        self._wish = 0  # how often a new reading was asked for: one that began before is no answer

    @property
    def good(self) -> Snapshot | None:
        """The last snapshot that was read; ``None`` if there is none."""
        return self._last.good

    @property
    def took_s(self) -> float | None:
        """How long the last reading took; ``None`` before there was one."""
        return self._last.took_s

    def look(self, names: Names = None, *, at_most_s: float = 0.0, again: bool = True) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said.

        Args:
            names: Names of all experiments, if they have just been read.
            at_most_s: How old what was read may be, unless ``expire`` was called since.
            again: Whether a reading that had begun before the last ``expire`` is followed by another.
        """
        with self._lock:
            now = self._clock()
            if self._last.good is not None and now < max(
                self._last.fresh_until, self._last.read_at + at_most_s
            ):
                return self._last.good
            if self._reading is None and now < self._last.retry_at:
                return self._failed()
            reading = self._reading or self._start(now, names)
            waits_s = self._patience_s if self._last.good is not None else max(self._patience_s, FIRST_S)
        reading.done.wait(waits_s)
        if again and reading.done.is_set() and reading.wish != self._wish:
            return self.look(again=False)
        with self._lock:
            if reading.snapshot is not None:
                return reading.snapshot
            if reading.error is None:
                taken_s = max(waits_s, self._clock() - reading.began)
                return self._kept(f"the store is slow: it has been read for {taken_s:.0f} s, which goes on.")
            if isinstance(reading.error, StoreError):
                return self._failed()
        raise reading.error

    def expire(self) -> None:
        """Read anew at the next look; what is just being read is not new enough."""
        with self._lock:
            self._last.fresh_until, self._last.read_at = 0.0, float("-inf")
            self._wish += 1

    def _start(self, now: float, names: Names) -> _Reading:
        reading = _Reading(now, wish=self._wish)
        # It cannot end before the caller gives the lock back, which it needs to say so.
        Thread(target=self._run, args=(reading, names), daemon=True, name="reads an experiment").start()
        self._reading = reading
        return reading

    def _run(self, reading: _Reading, names: Names) -> None:
        try:
            found = self._read(int(reading.began * 1000), names)
        except BaseException as error:  # noqa: BLE001 -- raised again in the page that waits
            with self._lock:
                reading.error, self._reading = error, None
                self._last.read_at = float("-inf")  # what is wrong is to be said
                if isinstance(error, StoreError):
                    self._last.failure, self._last.retry_at = error, self._clock() + RETRY_S
        else:
            with self._lock:
                now = self._clock()
                self._last.took_s = now - reading.began
                reading.snapshot, self._reading, self._last.good = found, None, found
                fresh_s = min(max(FRESH_S, now - reading.began), LONGEST_FRESH_S)
                if reading.wish == self._wish:
                    self._last.fresh_until, self._last.read_at = now + fresh_s, reading.began
        reading.done.set()
        self._settle(reading.snapshot)
        if reading.snapshot is not None and self._gets_further(reading.snapshot.unjudged):
            time.sleep(REST_S)
            with self._lock:
                if self._reading is None:
                    self._start(self._clock(), None)

    @staticmethod
    def _settle(snapshot: Snapshot | None) -> None:
        """Let Python's search for garbage leave out a large experiment once it is judged.

        Streamlit searches after every drawing, a twentieth of a second for 1,500 verdicts. What is left out
        by mistake is never found, so this is done only when there is half as much again.
        """
        global _settled  # noqa: PLW0603 - there is one search for garbage
        with _SETTLING:
            if snapshot is None or snapshot.unjudged or snapshot.runs.height < max(_LARGE, _settled * 1.5):
                return
            _settled = snapshot.runs.height
        gc.collect()
        gc.freeze()

    def _gets_further(self, unjudged: int) -> bool:
        """Return whether fewer runs wait for verdicts than before: of those that train, some always do."""
        before, self._unjudged = self._unjudged, unjudged
        return self._experiment is not None and unjudged > 0 and (before == 0 or unjudged < before)

    def _failed(self) -> Snapshot:
        return self._kept(str(self._last.failure), missing=isinstance(self._last.failure, MissingStoreError))

    def _kept(self, problem: str, *, missing: bool = False) -> Snapshot:
        known = self._last.good or Snapshot(experiment=self._experiment)
        return replace(known, problem=problem, missing=missing)
