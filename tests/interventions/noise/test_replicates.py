"""Runs that look like several and are not."""

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.replicates import Repeat, independent_runs, repeated_seeds, shared_curves

RNG = np.random.default_rng(12)


def curves_of(metric="loss", **runs):
    rows = [
        (run, 10 * (place + 1), metric, float(value))
        for run, values in runs.items()
        for place, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=["run_id", "step", "metric", "value"], orient="row")


def losses(n=6):
    return RNG.random(n).round(5).tolist()


def test_a_run_logged_twice_is_found():
    one = losses()
    curves = curves_of(a=one, b=losses(), c=one)
    assert shared_curves(curves) == (Repeat(runs=("a", "c"), kind="same curve", until=60, evaluations=6),)
    assert shared_curves(curves.sample(fraction=1, shuffle=True, seed=1)) == shared_curves(curves)


def test_a_fork_shares_its_beginning_and_the_last_common_step_is_told():
    one = losses()
    curves = curves_of(a=one, b=one[:4] + losses(2), c=one[:5], d=losses())
    assert shared_curves(curves) == (
        Repeat(runs=("a", "b", "c"), kind="shared beginning", until=40, evaluations=4),
    )


def test_the_same_curve_and_its_fork_count_as_one_run():
    one = losses()
    curves = curves_of(a=one, b=one, c=[*one[:4], 0.12345, 0.54321], d=losses())
    found = shared_curves(curves)
    assert [(repeat.kind, repeat.runs) for repeat in found] == [
        ("same curve", ("a", "b")),
        ("shared beginning", ("a", "c")),
    ]
    assert independent_runs("abcd", found) == 2


def test_two_digits_three_zeros_or_two_steps_in_common_show_nothing():
    plain = [0.01, 0.01, 0.02, 0.25, 0.5, 1.0]
    assert shared_curves(curves_of(a=plain, b=plain)) == ()
    constant = [0.123456] * 6
    assert shared_curves(curves_of(a=constant, b=constant)) == ()
    one = losses()
    assert shared_curves(curves_of(a=one, b=one[:2] + losses(4))) == ()


def test_the_value_before_the_first_step_shows_nothing():
    one = losses()
    begun = curves_of(a=one, b=one[:3] + losses(3)).with_columns(step=pl.col("step") - 10)
    assert shared_curves(begun) == ()


def test_one_other_metric_that_differs_makes_two_runs():
    one = losses()
    curves = pl.concat([curves_of(a=one, b=one), curves_of("accuracy", a=losses(), b=losses())])
    assert shared_curves(curves) == ()
    curves = pl.concat([curves_of(a=one, b=one), curves_of("accuracy", a=one, b=one)])
    assert shared_curves(curves)[0].evaluations == 6


def test_seeds_are_repeated_within_a_configuration_only_and_only_where_logged():
    found = repeated_seeds(
        ["a", "b", "c", "d", "e"], ["adam", "adam", "muon", "muon", "muon"], [0, 0, 0, None, None]
    )
    assert found == (Repeat(runs=("a", "b"), kind="same seed"),)
    assert independent_runs(["a", "b", "c", "d", "e"], found) == 4


def test_chains_of_repeats_are_one_run_and_repeats_of_others_none():
    chain = [Repeat(runs=pair, kind="same seed") for pair in (("a", "b"), ("c", "d"), ("b", "c"), ("x", "y"))]
    assert independent_runs("abcde", chain) == 2


def test_what_is_missing_is_named():
    with pytest.raises(SampleError, match="metric, value missing"):
        shared_curves(pl.DataFrame({"run_id": ["a"], "step": [1]}))
    with pytest.raises(SampleError, match="each run needs a configuration and a seed, got 1, 2, 1"):
        repeated_seeds(["a"], ["x", "y"], [0])
