"""Where the training curves end that held-out curves were judged with: what a gap is counted to."""

from collections.abc import Collection, Mapping

import polars as pl

from grokscope.dashboard.words.sentences import TrainingEnd
from grokscope.schemas import score_of
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.verdict.pairs import Pair, pairs_of, scored

Ends = Mapping[str, TrainingEnd]
"""Held-out curve -> its training curve's end."""


def training_ends(points: pl.DataFrame, *, run_ids: Collection[str] | None = None) -> dict[str, Ends]:
    """Return the training ends of each run.

    Args:
        points: As ``detect`` takes them, under the names that the verdicts have.
        run_ids: Those that are asked for; all by default.

    >>> rows = [(m, s, v * s) for m, v in (("train/f1", 0.1), ("val/f1", 0.05)) for s in range(9)]
    >>> points = pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")
    >>> training_ends(points)["run"]["val/f1"].metric
    'train/f1'
    """
    wanted = points if run_ids is None else points.filter(pl.col("run_id").is_in(list(run_ids)))
    return {
        run: {pair.test.metric: _end(pair) for pair in pairs_of(scored(curves))}
        for run, curves in curves_by_run(wanted).items()
    }


def _end(pair: Pair) -> TrainingEnd:
    train, test = (score_of(curve.metric) for curve in (pair.train, pair.test))
    return TrainingEnd(
        metric=pair.train.metric,
        level=pair.train.level(end_level(pair.train)),
        is_same_score=train is not None and test is not None and train.quantity == test.quantity,
        held_out_first=pair.test.level(float(pair.test.values[0])),
    )
