"""Cost against the share of the data: a power law above a floor."""

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.laws.fraction_law import fraction_law


def simulated(seed, *, gamma=4.0, floor=200.0, spread=0.15, limit=3000.0, shares=(0.25, 0.3, 0.4, 0.5, 0.7)):
    r = np.repeat(shares, 6)
    noise = spread * np.random.default_rng(seed).normal(size=len(r))
    high = np.ceil((300 * (r / 0.4) ** -gamma + floor) * np.exp(noise) / 25) * 25
    reached = high <= limit
    told = pl.DataFrame({"run_id": [str(i) for i in range(len(r))], "r": r, "reached": reached})
    return told.with_columns(
        low=pl.Series(np.where(reached, high - 25, limit)),
        high=pl.when(pl.Series(reached)).then(pl.Series(high)),
        spent=limit,
    )


def test_the_law_is_found_where_there_is_next_to_no_noise():
    law = fraction_law(simulated(2, spread=0.01), x="r")
    assert law.gamma.value == pytest.approx(4.0, abs=0.15)
    assert law.gamma.low < 4.0 < law.gamma.high
    assert law.floor == pytest.approx(200, rel=0.1)
    assert law.scale * 0.4**-law.gamma.value == pytest.approx(300, rel=0.08)


def test_without_a_floor_it_is_a_power_law():
    law = fraction_law(simulated(2, floor=0.0, spread=0.05), x="r")
    assert law.gamma.low < 4.0 < law.gamma.high
    assert law.floor < 60


def test_the_interval_covers_the_exponent():
    laws = [fraction_law(simulated(seed), x="r") for seed in range(2)]
    assert sum((law.gamma.low or 0) <= 4 <= (law.gamma.high or 99) for law in laws) >= 1


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        (
            simulated(0, shares=(0.3, 0.4, 0.5)),
            "runs reach the target at 3 values of r above 0; 4 are needed",
        ),
        (simulated(0, limit=400), "runs have reached it; half of them and 8 are needed"),
        (simulated(0, gamma=-4.0), "the rank correlation of cost with r is"),
    ],
)
def test_the_law_is_refused_with_the_premise_that_fails(costs, reason):
    law = fraction_law(costs, x="r")
    assert reason in law.gamma.missing
    assert (law.gamma.value, law.floor, law.scale) == (None, None, None)
