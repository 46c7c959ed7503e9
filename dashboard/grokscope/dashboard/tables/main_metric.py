"""The pair of curves that shows grokking: one quantity on the training set and on a held-out set."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.schemas import held_out, held_out_curves

QUANTITIES = ("accuracy", "loss")
"""In order of preference: a loss says less about when a rule was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainMetric:
    """The quantity that an experiment is first looked at by.

    Attributes:
        quantity: ``accuracy``, or ``loss`` where nobody logged an accuracy.
        points: Its train and held-out curves, as points; the held-out curve that a run is judged by is called
            ``test`` here, whichever it is.
    """

    quantity: str
    points: pl.DataFrame

    @property
    def train(self) -> str:
        """Key of the training curve."""
        return f"train/{self.quantity}"

    @property
    def test(self) -> str:
        """Key of the held-out curve."""
        return f"test/{self.quantity}"


def main_metric_of(curves: pl.DataFrame) -> MainMetric | None:
    """Return the main metric of an experiment's curves; ``None`` while there is neither accuracy nor loss."""
    names: list[str] = curves["metric"].unique().to_list()
    for quantity in QUANTITIES:
        points = _pairs(curves, quantity, others=held_out_curves(names, quantity))
        if points.height:
            return MainMetric(quantity=quantity, points=points)
    return None


def place_of_first(names: Sequence[str]) -> int:
    """Return the place in ``names`` of what to look at first: held-out accuracy, where there is one.

    >>> place_of_first(["weights/norm", "train/accuracy", "val/accuracy"]), place_of_first(["weights/norm"])
    (2, 0)
    """
    order = (key for q in QUANTITIES for key in (*held_out_curves(names, q), f"train/{q}"))
    return next((names.index(key) for key in order if key in names), 0)


def _pairs(curves: pl.DataFrame, quantity: str, *, others: Sequence[str]) -> pl.DataFrame:
    """Return each run's training curve and its own one of the held-out curves, called ``test``."""
    metric, train, test = pl.col("metric"), f"train/{quantity}", f"test/{quantity}"
    pair = curves.filter(metric.is_in([train, *others]))
    found = pair.group_by("run_id", "metric").agg(pl.col("value").is_finite().sum())
    evaluations: dict[str, dict[str, int]] = {}
    for run, name, count in found.iter_rows():
        evaluations.setdefault(run, {})[name] = count
    own = [(run, held_out(of_run, quantity)) for run, of_run in evaluations.items()]
    chosen = pl.DataFrame(own, schema={"run_id": pl.String(), "own": pl.String()}, orient="row")
    return (
        pair.join(chosen, on="run_id", how="left", maintain_order="left")
        .filter((metric == train) | (metric == pl.col("own")))
        .with_columns(metric=pl.when(metric == train).then(metric).otherwise(pl.lit(test)))
        .drop("own")
    )
