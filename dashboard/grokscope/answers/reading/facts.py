"""What a store knows of the runs of an experiment, for a query to choose among them."""

from collections.abc import Sequence
from itertools import chain

import polars as pl

from grokscope.schemas.runs.query import Facts, ends_of_curves
from grokscope.store import MetricNames, Store, renamed_by_run

_TIMES = {"start_ms": "started_ms", "end_ms": "ended_ms"}


def facts_of(
    runs: pl.DataFrame,
    *,
    store: Store,
    names: MetricNames,
    pairs: tuple[pl.DataFrame, pl.DataFrame],
    now_ms: int,
) -> Facts:
    """Return what is known of runs but their verdicts; points are read of the metrics that a query names.

    Args:
        runs: As ``RUN_SCHEMA``, and ``group`` where it is known.
        store: Where they are.
        names: What their metrics are read as; they may be asked for by both names.
        pairs: Their params and their tags, ``run_id, key, value``.
        now_ms: Unix time in ms.
    """
    ids = runs["run_id"].to_list()

    def ends(metrics: Sequence[str]) -> pl.DataFrame:
        return ends_of_curves(pl.concat([points_called(metric, store, ids, names) for metric in metrics]))

    params, tags = (frame.select("run_id", "key", "value") for frame in pairs)
    return Facts(
        runs=runs.rename(_TIMES),
        params=params,
        tags=tags,
        metric_names=sorted({name for of_run in names.values() for name in chain(*of_run.items())}),
        metrics=ends,
        now_ms=now_ms,
    )


def points_called(metric: str, store: Store, run_ids: Sequence[str], names: MetricNames) -> pl.DataFrame:
    """Return the points of a metric, called as it was logged or by our key, under the name asked for.

    What was logged under the very name comes before what is only read as it.
    """
    asked = {
        run: {own: metric for own, ours in of_run.items() if metric in (own, ours)}
        for run, of_run in names.items()
    }
    chosen = {run: ({metric: metric} if metric in own else own) for run, own in asked.items()}
    logged = sorted({own for of_run in chosen.values() for own in of_run})
    return renamed_by_run(store.points(run_ids, logged), chosen)
