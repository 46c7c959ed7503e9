"""Changes of the way of logging: what each does to the points, and when it counts as a flip."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Pattern, Verdict
from grokscope.transitions.evaluation.laboratory.stability import CHANGES, flips

POINTS = pl.DataFrame(
    {
        "metric": ["train_acc"] * 100 + ["val_acc"] * 100,
        "step": [*range(100)] * 2,
        "value": np.linspace(0.0, 1.0, 200),
    }
)


def changed(name: str, points: pl.DataFrame = POINTS) -> pl.DataFrame:
    return CHANGES[name](points, np.random.default_rng(0))


def test_dropping_every_second_evaluation_leaves_half_of_each_curve():
    found = changed("every second evaluation dropped")
    assert found.group_by("metric").len().sort("metric")["len"].to_list() == [50, 50]


def test_cutting_takes_one_to_five_per_cent_off_the_end():
    found = changed("the last 1-5 % cut off")
    assert 94 <= found["step"].max() < 99
    assert found["step"].min() == 0


def test_shares_become_per_cent_and_per_cent_shares():
    there = changed("share and per cent exchanged")
    back = changed("share and per cent exchanged", there)
    assert there["value"].max() == 100
    assert back["value"].to_numpy() == pytest.approx(POINTS["value"].to_numpy())


def test_scores_that_are_no_accuracies_have_no_per_cent():
    losses = POINTS.with_columns(pl.col("metric").str.replace("acc", "loss"))
    assert changed("share and per cent exchanged", losses) is None


def test_glitches_hit_about_one_in_a_hundred_and_stay_within_the_curve():
    found = changed("1 % glitches", pl.concat([POINTS] * 50))
    moved = np.mean(found["value"].to_numpy() != np.tile(POINTS["value"].to_numpy(), 50))
    assert 0.005 < moved < 0.02
    assert found.filter(metric="train_acc")["value"].max() <= 0.5


def test_a_flip_is_another_pattern_than_that_of_the_run_as_it_was():
    def short_is_other(points: pl.DataFrame) -> Verdict:
        is_short = points.height < 190
        return Verdict(run="run", pattern=Pattern.OTHER if is_short else Pattern.GROKKING)

    found = flips(POINTS, oracle=short_is_other)
    assert set(found) == set(CHANGES)
    assert found["every second evaluation dropped"]
    assert not found["steps times 7"]
