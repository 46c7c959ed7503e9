"""Verdicts over many runs: each judged once for what it has logged, in batches, in bounded time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from grokscope.schemas import Verdict
from grokscope.transitions import detect

BUDGET_S = 1.0
"""A page waits this long for verdicts; what is not judged by then is shown without, and judged next time."""

_BATCH = 40
Mark = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Verdicts by run id, and how many runs still wait for one on their newest points."""

    verdicts: Mapping[str, Verdict]
    waiting: int


class Judge:
    """Remembers verdicts; not safe for several threads by itself.

    Args:
        clock: Seconds.
        budget_s: Bound on one call; at least one batch is judged, so that every call gets further.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, budget_s: float = BUDGET_S) -> None:
        self._clock = clock
        self._budget_s = budget_s
        self._known: dict[str, tuple[Mark, Verdict]] = {}

    def judge(self, curves: pl.DataFrame) -> Judged:
        """Judge the runs whose points have changed since the last time, never judged ones first.

        A run that waits keeps its verdict on what it had logged before.
        """
        counted = curves.group_by("run_id").agg(pl.len(), pl.col("time_ms").max().fill_null(0).alias("last"))
        marks: dict[str, Mark] = {
            run: (count, last) for run, count, last in counted.sort("run_id").iter_rows()
        }
        changed = [run for run, mark in marks.items() if self._known.get(run, (None,))[0] != mark]
        changed.sort(key=lambda run: run in self._known)
        done = self._batches(curves, changed, marks)
        verdicts = {run: self._known[run][1] for run in marks if run in self._known}
        return Judged(verdicts=verdicts, waiting=len(changed) - done)

    def _batches(self, curves: pl.DataFrame, changed: list[str], marks: Mapping[str, Mark]) -> int:
        until, done = self._clock() + self._budget_s, 0
        while done < len(changed) and (not done or self._clock() < until):
            batch = changed[done : done + _BATCH]
            for verdict in detect(curves.filter(pl.col("run_id").is_in(batch))):
                self._known[verdict.run] = (marks[verdict.run], verdict)
            done += len(batch)
        return done
