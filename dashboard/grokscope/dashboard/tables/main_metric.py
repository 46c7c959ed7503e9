"""The curves that runs are first looked at by: of each run the pair that it is judged by.

Runs of one experiment may be judged by different scores, each by its own: an accuracy, a reward, a loss. So
what is drawn together or counted together is told by the quantity.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from grokscope.dashboard.charts.elements.quantity import quantity_name
from grokscope.dashboard.state.data import JudgedPair, Snapshot
from grokscope.dashboard.tables.curve_index import cut, index_for, repeated
from grokscope.schemas import held_out, held_out_curves

QUANTITIES = ("accuracy", "loss")
"""Of a run that cannot be judged yet, in order of preference: a loss says less about what was learned."""

TRAIN, TEST = "train", "test"
"""Roles of curves; the held-out curve that a run is judged by is its test, whichever it is."""

_HELD_OUT = "held-out/"


def main_curves(snapshot: Snapshot, *, run_ids: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the points of each run's main curves, with ``role`` and ``quantity``.

    A training curve of another quantity than the held-out one is left out: it is on another scale.

    Args:
        snapshot: Has the curves, and what runs were judged by.
        run_ids: Those that are asked for; all by default.
    """
    index = index_for(snapshot)
    if run_ids is None:
        run_ids = list(index.rows) if snapshot.whole is None else snapshot.runs["run_id"].to_list()
    rows = {
        (run, metric): (role, quantity)
        for run in run_ids
        if run in index.finite
        for _, metric, role, quantity in _rows(run, *_main_pair(snapshot.pairs.get(run), index.finite[run]))
    }
    found, sizes = cut(snapshot, rows)
    ends = np.cumsum(sizes) - 1
    of = found.select("run_id", "metric")[ends].rows() if sizes else []
    roles, quantities = zip(*(rows[one] for one in of), strict=True) if of else ((), ())
    return found.with_columns(role=repeated(roles, sizes), quantity=repeated(quantities, sizes))


def _main_pair(judged: JudgedPair | None, evaluations: Mapping[str, int]) -> tuple[str | None, str | None]:
    """Return the training and the held-out curve of a run."""
    if judged is not None:
        return judged.train, judged.test
    for quantity in QUANTITIES:
        test, train = held_out(evaluations, quantity), f"train/{quantity}"
        if test is not None or train in evaluations:
            return train if train in evaluations else None, test
    return None, None


def _rows(run: str, train: str | None, test: str | None) -> list[tuple[str, str, str, str]]:
    rows = [(run, test, TEST, quantity_name(test))] if test is not None else []
    if train is not None and (test is None or quantity_name(train) == quantity_name(test)):
        rows.append((run, train, TRAIN, quantity_name(train)))
    return rows


def held_out_scores(main: pl.DataFrame) -> dict[str, int]:
    """Return what stands for the held-out curves of one quantity in several runs -> how many runs have one.

    >>> rows = {"run_id": ["a", "b"], "metric": ["val/accuracy", "test/accuracy"], "role": "test"}
    >>> held_out_scores(pl.DataFrame(rows | {"quantity": "accuracy"}))
    {'held-out/accuracy': 2}
    """
    tests = main.filter(pl.col("role") == TEST)
    found = tests.group_by("quantity").agg(
        pl.col("run_id").n_unique().alias("runs"), pl.col("metric").n_unique().alias("names")
    )
    several = found.filter(pl.col("names") > 1).sort("quantity")
    return {f"{_HELD_OUT}{name}": runs for name, runs in several.select("quantity", "runs").iter_rows()}


def held_out_points(main: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the held-out curves that ``name``, one of ``held_out_scores``, stands for, under that name."""
    own = (pl.col("role") == TEST) & (pl.col("quantity") == name.removeprefix(_HELD_OUT))
    return main.filter(own).with_columns(metric=pl.lit(name)).drop("role", "quantity")


def first_metric(metrics: Mapping[str, int], main: pl.DataFrame) -> str | None:
    """Return what to look at first: what most runs are judged by; without that, a curve that most runs have.

    Args:
        metrics: What can be looked at -> how many runs have it; ``held_out_scores`` among them.
        main: Rows of ``main_curves`` of these runs.

    >>> rows = {"run_id": ["a", "b", "c"], "metric": ["val/f1", "test/loss", "test/loss"], "role": "test"}
    >>> main = pl.DataFrame(rows | {"quantity": ["f1", "loss", "loss"]})
    >>> first_metric({"test/loss": 2, "val/f1": 1, "weights/norm": 3}, main)
    'test/loss'
    >>> first_metric({"train/loss": 2, "val/loss": 2, "weights/norm": 3}, main.clear())
    'val/loss'
    """
    tests = main.filter(pl.col("role") == TEST)
    judged = {**held_out_scores(main), **Counter(sorted(tests.select("run_id", "metric").unique()["metric"]))}
    known = {name: runs for name, runs in judged.items() if name in metrics}
    pool = known or {name: metrics[name] for name in _by_role(list(metrics))} or metrics
    return max(pool, key=pool.__getitem__, default=None)


def _by_role(names: Sequence[str]) -> list[str]:
    return [key for q in QUANTITIES for key in (*held_out_curves(names, q), f"train/{q}") if key in names]
