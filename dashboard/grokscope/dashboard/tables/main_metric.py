"""The pair of curves that shows grokking: one quantity on the training set and on a held-out set."""

from dataclasses import dataclass

import polars as pl

QUANTITIES = ("accuracy", "loss")
"""In order of preference: a loss says less about when a rule was learned."""

_HELD_OUT = ("test", "val")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The quantity that an experiment is first looked at by.

    Attributes:
        quantity: ``accuracy``, or ``loss`` where nobody logged an accuracy.
        points: Its train and test curves, as points; a run without a test set shows its validation set as
            ``test``, as its verdict does.
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


def headline_of(curves: pl.DataFrame) -> Headline | None:
    """Return the headline of an experiment's curves; ``None`` while there is neither accuracy nor loss."""
    metric = pl.col("metric")
    for quantity in QUANTITIES:
        pair = curves.filter(metric.is_in([f"{split}/{quantity}" for split in ("train", *_HELD_OUT)]))
        if pair.height:
            test, val = (f"{split}/{quantity}" for split in _HELD_OUT)
            has_test = (metric == test).any().over("run_id")
            shown = pair.filter(~((metric == val) & has_test)).with_columns(metric.replace({val: test}))
            return Headline(quantity=quantity, points=shown)
    return None
