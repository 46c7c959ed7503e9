"""Runs that nobody has closed and whose trackers are gone, as a sweep may leave behind by the hundred."""

import weakref

from grokscope.collectors.recording.open_run import OpenRun

_MOST = 32


class ForgottenRuns:
    """Ends runs whose trackers are gone once there are many: each holds two open files and a thread.

    A process may have 1024 open files, on some systems 256, and training needs some too. A few are left open,
    and end as the program does, which tells more.

    Args:
        most: How many are left open.

    >>> ForgottenRuns(most=32).open_runs
    0
    """

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._held: list[tuple[weakref.ref[object], OpenRun]] = []

    @property
    def open_runs(self) -> int:
        """How many are open, forgotten or not."""
        return sum(run.is_open for _, run in self._held)

    def watch(self, tracker: object, run: OpenRun) -> None:
        """Look after a run from here on; end those that were forgotten, if they are too many.

        Args:
            tracker: Holds the run.
            run: Does not hold the tracker.
        """
        self._held = [(holder, held) for holder, held in self._held if held.is_open]
        gone = [held for holder, held in self._held if holder() is None]
        if len(gone) >= self._most:
            for held in gone:
                held.warnings.is_quiet = True  # what failed was said as it did, and is on the run
                held.leave("FINISHED")
        self._held.append((weakref.ref(tracker), run))


FORGOTTEN = ForgottenRuns()
"""Those of this process, as its open files are."""
