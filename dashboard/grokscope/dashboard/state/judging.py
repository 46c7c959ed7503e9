"""Verdicts over many runs: each judged once for what it has logged, in batches, in bounded time.

With each verdict goes the pair of curves that it was made from, so that what is drawn is what was judged.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.state.data import JudgedPair
from grokscope.dashboard.tables.curve_places import CurvePlaces, places_in
from grokscope.schemas import Verdict
from grokscope.transitions import NATIVE, definition_of
from grokscope.transitions.curves.series import Curve, curves_by_run
from grokscope.transitions.verdict.detection import verdict_of
from grokscope.transitions.verdict.pairs import pairs_of, scored

BUDGET_S = 1.0
"""A reading waits so long for verdicts; what is not judged by then is shown without, and judged next time."""

FIRST_S = 0.25
"""The same of the first one, for which a page waits that shows nothing yet: enough for a hundred runs."""

_BATCH = 40
Mark = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Verdicts and their pairs by run id, and how many runs still wait for one on their newest points."""

    verdicts: Mapping[str, Verdict]
    pairs: Mapping[str, JudgedPair]
    waiting: int


class Judge:
    """Remembers verdicts; not safe for several threads by itself.

    Args:
        clock: Seconds.
        budget_s: Bound on one call; at least one batch is judged, so that every call gets further.
        first_s: Bound on the first call.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        budget_s: float = BUDGET_S,
        first_s: float = FIRST_S,
    ) -> None:
        self._clock = clock
        self._budget_s = budget_s
        self._first_s = first_s
        self._known: dict[str, tuple[Mark, Verdict, JudgedPair | None]] = {}

    def judge(self, curves: pl.DataFrame) -> Judged:
        """Judge the runs whose points have changed since the last time, never judged ones first.

        A run that waits keeps its verdict on what it had logged before.
        """
        places = places_in(curves)
        counted = places.table.group_by("run_id").agg(pl.col("size").sum(), pl.col("last_ms").max())
        marks: dict[str, Mark] = {
            run: (count, last) for run, count, last in counted.sort("run_id").iter_rows()
        }
        changed = [run for run, mark in marks.items() if self._known.get(run, (None,))[0] != mark]
        changed.sort(key=lambda run: run in self._known)
        done = self._batches(places, changed, marks)
        known = {run: self._known[run] for run in marks if run in self._known}
        return Judged(
            verdicts={run: verdict for run, (_, verdict, _) in known.items()},
            pairs={run: pair for run, (*_, pair) in known.items() if pair is not None},
            waiting=len(changed) - done,
        )

    def _batches(self, places: CurvePlaces, changed: list[str], marks: Mapping[str, Mark]) -> int:
        budget_s = self._budget_s if self._known else self._first_s
        until, done, rule = self._clock() + budget_s, 0, definition_of(NATIVE)
        while done < len(changed) and (not done or self._clock() < until):
            batch = changed[done : done + _BATCH]
            for run, own in curves_by_run(places.of_runs(batch)).items():
                verdict = verdict_of(run, own, rule)
                self._known[run] = (marks[run], verdict, _pair(verdict, own))
            done += len(batch)
        return done


def _pair(verdict: Verdict, curves: Mapping[str, Curve]) -> JudgedPair | None:
    """Return the pair of the first outcome; of a run without one, the pair that it could not be judged by."""
    pairs = pairs_of(scored(curves))
    first = verdict.outcomes[0].metric if verdict.outcomes else None
    judged = next((pair for pair in pairs if first in (pair.test.metric, None)), None)
    return None if judged is None else JudgedPair(test=judged.test.metric, train=judged.train.metric)
