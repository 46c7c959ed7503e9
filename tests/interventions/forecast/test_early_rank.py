"""How well ranks at a step tell ranks at the end."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from grokscope.interventions.forecast.early_rank import EarlyRankError, early_ranks
from grokscope.interventions.outcomes.costs import UnitError
from grokscope.interventions.outcomes.target import Target

LOSS = Target.parse("loss<=0")


def frame_of(early, end, **columns):
    """Runs evaluated at steps 10 and 100."""
    runs = [f"r{place:03}" for place in range(len(early))]
    parts = [
        pl.DataFrame(
            {
                "run_id": runs,
                "metric": "loss",
                "step": step,
                "value": np.asarray(values, dtype=float),
                **columns,
            }
        )
        for step, values in ((10, early), (100, end))
    ]
    return pl.concat(parts)


def row_of(frame, target=LOSS, at=10, **options):
    return early_ranks(frame, target, [at], **options).row(0, named=True)


def test_the_correlation_is_spearmans_also_with_ties():
    rng = np.random.default_rng(1)
    early = rng.integers(0, 6, 20)
    end = early + rng.integers(0, 6, 20)
    row = row_of(frame_of(early, end))
    assert row["spearman"] == pytest.approx(spearmanr(early, end).statistic)
    assert row["low"] < row["spearman"] < row["high"]


def test_the_interval_covers_the_true_correlation_as_often_as_it_says():
    rng, rho = np.random.default_rng(2), 0.6
    true = 6 / np.pi * np.arcsin(rho / 2)
    hits = 0
    for _ in range(120):
        early = rng.normal(size=25)
        row = row_of(frame_of(early, rho * early + np.sqrt(1 - rho**2) * rng.normal(size=25)))
        hits += row["low"] <= true <= row["high"]
    assert 0.92 * 120 <= hits <= 0.985 * 120


def test_regret_is_what_the_best_kept_run_lacks_and_chance_is_the_mean_over_all_subsets():
    early, end = [1.0, 2.0, 3.0, 4.0], [7.0, 6.0, 5.0, 3.0]
    row = row_of(frame_of(early, end), keep=0.5)
    by_hand = np.mean([min(pair) - 3.0 for pair in combinations(end, 2)])
    assert (row["kept"], row["regret"]) == (2, 3.0)
    assert row["regret_by_chance"] == pytest.approx(by_hand)
    upward = row_of(frame_of(early, end), Target.parse("loss>=0"), keep=0.5)
    assert upward["regret"] == 7.0 - 5.0


def test_runs_that_end_at_the_step_are_no_forecast_and_are_left_out():
    frame = frame_of([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    short = frame.filter(~((pl.col("run_id") == "r000") & (pl.col("step") == 100)))
    assert row_of(short)["n"] == 2
    assert early_ranks(frame, LOSS, [100]).row(0, named=True)["n"] == 0
    assert early_ranks(frame, LOSS, [5])["spearman"].to_list() == [None]


def test_a_longer_plan_that_puts_the_loss_off_is_seen_and_taken_out():
    rng = np.random.default_rng(3)
    planned = np.repeat([100.0, 200.0, 300.0], 20)
    skill = rng.normal(size=60)
    frame = frame_of(planned / 30 + skill, skill - planned / 30, planned=planned)
    row = row_of(frame)
    assert row["with_planned"] > 0.8
    assert row["spearman"] < 0
    assert row["within_planned"] == pytest.approx(1.0)


def test_groups_are_ranked_by_their_means():
    frame = frame_of([1.0, 5.0, 2.0, 2.0], [1.0, 5.0, 4.0, 4.0], group=["a", "a", "b", "b"])
    row = row_of(frame)
    assert (row["n"], row["spearman"], row["low"]) == (2, pytest.approx(-1.0), None)


def test_what_cannot_be_ranked_is_refused():
    frame = frame_of([1.0], [2.0])
    with pytest.raises(EarlyRankError, match="no run has a value of 'accuracy'"):
        early_ranks(frame, Target.parse("accuracy>=1"), [10])
    with pytest.raises(EarlyRankError, match="in \\(0, 1\\], got 0"):
        early_ranks(frame, LOSS, [10], keep=0.0)
    with pytest.raises(UnitError, match="nothing counts 'tokens'"):
        early_ranks(frame, LOSS, [10], unit="tokens")
