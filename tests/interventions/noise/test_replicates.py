"""Runs that look like several and are not."""

import math

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.replicates import (
    COPIES,
    Repeat,
    copies_of,
    independent_runs,
    repeated_seeds,
    said_of_repeats,
    shared_curves,
)

RNG = np.random.default_rng(12)


def curves_of(metric="loss", **runs):
    rows = [
        (run, 10 * (place + 1), metric, float(value))
        for run, values in runs.items()
        for place, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=["run_id", "step", "metric", "value"], orient="row")


def logs(**runs):
    """Return curves from values at their steps."""
    rows = [(run, step, "loss", value) for run, values in runs.items() for step, value in values.items()]
    schema = {"run_id": pl.String, "step": pl.Int64, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def grouped(*, unseeded="", **groups):
    """Return runs with their groups, all of one seed but those without one."""
    rows = [(run, group, None if run in unseeded else "0") for run, group in groups.items()]
    return pl.DataFrame(rows, schema=["run_id", "group", "block"], orient="row")


LONG = {10: 4.1234, 20: 3.8123, 30: 3.5432, 40: 3.4321, 50: 3.3123}


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
        Repeat(runs=("a", "c"), kind="same curve", until=50, evaluations=5),
        Repeat(runs=("a", "b"), kind="shared beginning", until=40, evaluations=4),
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


def test_seeds_are_repeated_within_a_group_only_and_only_where_logged():
    found = repeated_seeds(grouped(a="adam", b="adam", c="muon", d="muon", e="muon", unseeded="de"))
    assert found == (Repeat(runs=("a", "b"), kind="same seed"),)
    assert independent_runs("abcde", found) == 4


def test_copies_and_repeated_seeds_of_a_group_are_told_and_those_of_other_groups_not():
    one, other = losses(), losses()
    curves = curves_of(a=one, b=other, c=one, d=one[:4])
    seeds = {"a": "0", "b": "1", "c": "2", "d": "3"}
    alone = grouped(a="x", b="x", c="y", d="z").with_columns(block=pl.col("run_id").replace_strict(seeds))
    assert said_of_repeats(alone, curves) == ()
    together = alone.with_columns(group=pl.lit("x"))
    assert said_of_repeats(together, curves) == (
        "2 runs of a group are copies of another, equal wherever both were evaluated: no further evidence.",
    )
    (seeds_said, _) = said_of_repeats(together.with_columns(block=pl.lit("0")), curves)
    assert seeds_said.startswith("4 runs share seed and settings with another")


def test_chains_of_repeats_are_one_run_and_repeats_of_others_none():
    chain = [Repeat(runs=pair, kind="same seed") for pair in (("a", "b"), ("c", "d"), ("b", "c"), ("x", "y"))]
    assert independent_runs("abcde", chain) == 2


def test_what_is_missing_is_named():
    with pytest.raises(SampleError, match="metric, value missing"):
        shared_curves(pl.DataFrame({"run_id": ["a"], "step": [1]}))


def test_a_log_that_repeats_a_part_of_another_one_is_its_copy_whatever_it_is_called():
    part = {step: LONG[step] for step in (30, 40, 50)}
    assert copies_of(logs(a=part, b=LONG)).rows() == [("a", "b", 3)]
    assert copies_of(logs(a=LONG, b=LONG, c=LONG)).rows() == [("b", "a", 5), ("c", "a", 5)]
    assert [one.runs for one in shared_curves(logs(a=part, b=LONG))] == [("a", "b")]


def test_a_log_that_differs_at_one_shared_evaluation_is_no_copy():
    assert copies_of(logs(a=LONG, b=LONG | {40: 3.4325})).schema == COPIES
    assert copies_of(logs(a=LONG, b=LONG | {40: 3.4325})).is_empty()
    # Nor where the value that differs has too few digits to tell runs apart.
    assert copies_of(logs(a=LONG | {60: 3.3}, b=LONG | {60: 3.2})).is_empty()


def test_two_equal_evaluations_and_the_one_before_training_are_not_enough():
    start = {0: 10.8123, 10: 4.1234, 20: 3.8123}
    assert copies_of(logs(a=start, b=start | {25: 3.6123})).is_empty()
    assert copies_of(logs(a=start | {25: math.nan}, b=start | {25: math.nan})).is_empty()
    assert copies_of(logs()).is_empty()


@pytest.mark.parametrize("seed", range(3))
def test_copies_equal_those_of_all_pairs_compared_one_by_one(seed):
    rng = np.random.default_rng(seed)
    levels = np.linspace(0.11113, 0.99997, 16).reshape(8, 2).tolist()  # two a step, so that many runs agree
    runs = {
        f"r{k}": {10 + 10 * place: pair[rng.integers(2)] for place, pair in enumerate(levels)}
        for k in range(30)
    }
    for k in range(8):
        values = list(runs[f"r{rng.integers(30)}"].items())
        runs[f"part{k}"] = dict(values[rng.integers(0, 3) : rng.integers(4, 8)])
    order = sorted(runs, key=lambda run: (-len(runs[run]), run))
    expected = {}
    for place, run in enumerate(order):
        for other in order[:place]:
            shared = runs[run].keys() & runs[other].keys()
            if len(shared) >= 3 and all(runs[run][step] == runs[other][step] for step in shared):
                expected.setdefault(run, (other, len(shared)))
    found = {run: (other, shared) for run, other, shared in copies_of(logs(**runs)).rows()}
    assert found == expected
    assert len(expected) >= 8
