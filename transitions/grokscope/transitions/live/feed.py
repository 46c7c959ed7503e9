"""Live detectors over the runs of an experiment: points in, news out."""

from collections.abc import Mapping
from functools import partial

import polars as pl

from grokscope.schemas import POINT_SCHEMA, as_points, latest, resolve
from grokscope.transitions.live.detector import LiveDetector, State
from grokscope.transitions.live.e_process import e_bh
from grokscope.transitions.live.followed_run import HASH, FollowedRun, Report
from grokscope.transitions.live.history import is_read
from grokscope.transitions.live.news import News

ALPHA = 0.01
"""Bound on the probability that a run which does not generalize is ever suspected, and on the share of false
discoveries among all runs that are followed."""
MOST_DETECTORS = 1024
"""Runs whose detectors are kept. Beyond, those that were fed longest ago are let go; should such a run move
again, its history is read from the beginning."""
_ALL = 1 << 60
_NO_ROWS = pl.Schema({**POINT_SCHEMA, HASH: pl.UInt64()}).to_frame()


class LiveFeed:
    """Follows runs: one detector a run, fed only what is new, and one error bound over all.

    Each call gets all points that are known. What lies before the last evaluation that a detector was fed has
    to be what it was: where points came late, were logged again or changed their names, the run's history is
    read again from the beginning, and what has changed by it is said. A run that has ended is followed
    without a detector, in a few hundred bytes.

    Args:
        alpha: Bound on a run's probability of ever being suspected for nothing, and on the false discovery
            rate over all runs.

    >>> feed = LiveFeed()
    >>> rises = [(metric, step, float(step > at)) for metric, at in (("train_acc", 200), ("test_acc", 2000))
    ...          for step in range(0, 4000, 100)]
    >>> points = pl.DataFrame(rises, schema=["metric", "step", "value"], orient="row")
    >>> for news in feed.update(points, runs={"run": False}):
    ...     print(news.step, news.change, news.event.kind, news.event.status)
    400 new memorization confirmed
    2200 new generalization confirmed
    >>> feed.update(points, runs={"run": False})
    []
    """

    def __init__(self, *, alpha: float = ALPHA) -> None:
        self.alpha = alpha
        self._runs: dict[str, FollowedRun] = {}

    @property
    def reports(self) -> Mapping[str, Report]:
        """What was said of each run that is followed."""
        return {run_id: run.report for run_id, run in self._runs.items()}

    @property
    def states(self) -> Mapping[str, State]:
        """Where each run stands; a run whose history is still being read has no state yet."""
        return {run_id: run.report.state for run_id, run in self._runs.items() if run.has_caught_up}

    @property
    def discovered(self) -> tuple[str, ...]:
        """Runs that generalize, at a false discovery rate of at most alpha over all that are followed."""
        return tuple(e_bh({run_id: run.report.e_value for run_id, run in self._runs.items()}, self.alpha))

    def update(
        self,
        points: pl.DataFrame,
        *,
        runs: Mapping[str, bool],
        names: Mapping[str, str] | None = None,
        most: int | None = None,
    ) -> list[News]:
        """Feed what is new in ``points``; return what there is to say, run by run in order of step.

        Args:
            points: All points of the runs so far, as ``schemas.as_points`` takes them.
            runs: Run id -> whether it goes on, of the runs to follow; others are forgotten.
            names: Metric as logged -> the key to read it under; others are left out. ``None``: by the rules
                of ``schemas.resolve``.
            most: Feed so many evaluations in this call at most, of all runs together.
        """
        self._runs = {run_id: run for run_id, run in self._runs.items() if run_id in runs}
        parts = self._read(points, runs, names).partition_by("run_id", as_dict=True, include_key=False)
        news, left = list[News](), _ALL if most is None else most
        for run_id, goes_on in runs.items():
            run = self._runs.get(run_id) or FollowedRun(partial(LiveDetector, run_id, alpha=self.alpha))
            said, fed = run.feed(parts.get((run_id,), _NO_ROWS), goes_on=goes_on, most=left)
            news += said
            left -= fed
            if fed or run_id not in self._runs:  # those fed last come last, see ``_let_go``
                self._runs.pop(run_id, None)
                self._runs[run_id] = run
        self._let_go()
        return news

    def _read(
        self, points: pl.DataFrame, runs: Mapping[str, bool], names: Mapping[str, str] | None
    ) -> pl.DataFrame:
        """Return what the engine reads of the runs, under its names, one value a metric and step."""
        mine = as_points(points).filter(pl.col("run_id").is_in(list(runs)))
        named = resolve(mine["metric"].unique()) if names is None else names
        read = {name: key for name, key in named.items() if is_read(key)}
        known = mine.filter(pl.col("metric").is_in(list(read))).with_columns(pl.col("metric").replace(read))
        rows = latest(known)
        return rows.with_columns(rows.select("metric", "step", "value").hash_rows().alias(HASH))

    def _let_go(self) -> None:
        kept = [run for run in self._runs.values() if run.has_detector]
        for run in kept[: max(len(kept) - MOST_DETECTORS, 0)]:
            run.let_go()
