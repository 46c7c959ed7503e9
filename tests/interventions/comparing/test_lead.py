import numpy as np
import polars as pl
import pytest

from grokscope.interventions.comparing.lead import lead
from grokscope.interventions.comparing.pairs import contrasts_of
from grokscope.interventions.comparing.records import GroupResult
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts


def drawn(count, *, seed=0):
    """Groups of five runs, each 5 % costlier than the one before; some runs end before they get there."""
    rng = np.random.default_rng(seed)
    samples = {}
    for place in range(count):
        high = rng.lognormal(5, 0.2, 5) * 1.05**place
        samples[f"group {place}"] = CensoredCosts(
            np.minimum(high * 0.98, 200), np.where(high > 200, np.inf, high)
        )
    return samples


def result(name):
    none = Estimate(value=None)
    return GroupResult(group=name, n=5, reached=5, median=none, restricted_mean=none, share=none, ends={})


def in_frame(costs):
    return pl.DataFrame({"low": costs.low, "high": costs.high}).with_columns(
        high=pl.when(pl.col("high").is_finite()).then("high"), block=pl.lit(None, dtype=pl.String)
    )


@pytest.mark.parametrize("count", [2, 4, 12])
def test_the_lead_is_the_first_of_all_contrasts(count):
    samples = drawn(count)
    names = list(samples)
    every = contrasts_of(
        [result(name) for name in names],
        {name: in_frame(costs) for name, costs in samples.items()},
        is_split=False,
    )
    assert lead(names, samples) == every[0]


def test_there_is_no_lead_of_one_group_and_none_where_neither_is_there_or_one_cost_nothing():
    there = CensoredCosts(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    short = CensoredCosts(np.array([5.0]), np.array([np.inf]))
    free = CensoredCosts(np.array([0.0]), np.array([0.0]))
    assert lead(["a"], {"a": there}) is None
    assert lead(["a", "b"], {"a": short, "b": short}) is None
    assert lead(["a", "b"], {"a": free, "b": there}) is None
    assert lead(["a", "b"], {"a": there, "b": short}) is not None
