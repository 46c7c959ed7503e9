"""How often the advice is wrong: on runs drawn at random, on ours, and on public ones where they are
there."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from grokscope.interventions.stopping.advice import DELAYED, DELAYED_STOPPED, advice_on
from grokscope.interventions.stopping.outlook import Outlook
from grokscope.interventions.stopping.synthetic import draw_run

REPOSITORY = Path(__file__).parents[3]
OURS = REPOSITORY / "tests" / "data"
FOLDER = Path(os.environ.get("GROKSCOPE_PUBLIC_CURVES", REPOSITORY.parent / "shared" / "data"))
RUNS = 40


def stopped(frames):
    return sum(advice_on(frame).may_stop for frame in frames)


@pytest.mark.parametrize("keep", ["both", "accuracy", "loss"])
def test_of_random_delayed_runs_at_most_one_in_forty_is_stopped_and_of_overfitting_ones_seven_in_ten(keep):
    assert stopped(draw_run("delayed", seed, keep=keep) for seed in range(RUNS)) <= 1
    assert stopped(draw_run("overfitting", seed, keep=keep) for seed in range(RUNS)) >= 0.7 * RUNS


def test_no_random_run_that_learns_ordinarily_is_stopped():
    assert stopped(draw_run("ordinary", seed) for seed in range(RUNS)) == 0


def ordinary():
    labels = json.loads((OURS / "ordinary.json").read_text("utf-8"))
    runs = pl.read_parquet(OURS / "ordinary.parquet").partition_by("run", as_dict=True)
    return {run: (labels[run]["overfits"], advice_on(curves)) for (run,), curves in runs.items()}


def test_our_recorded_overfitting_is_found_but_for_labels_learned_by_heart_and_nothing_else_is_stopped():
    found = ordinary()
    assert {run for run, (overfits, advice) in found.items() if advice.may_stop and not overfits} == set()
    missed = {run for run, (overfits, advice) in found.items() if overfits and not advice.may_stop}
    assert missed == {"digits_shuffled"}
    assert found["digits_shuffled"][1].outlook is Outlook.MAY_STILL_GENERALIZE


def test_our_runs_that_grokked_are_not_stopped_before_they_do():
    sweep = pl.read_parquet(OURS / "sweep.parquet", columns=["run", "metric", "step", "value"])
    rose = sweep.filter((pl.col("metric") == "test/accuracy") & (pl.col("value") >= 0.2))
    onsets = rose.group_by("run").agg(onset=pl.col("step").min())
    before = sweep.join(onsets, on="run").filter(pl.col("step") < pl.col("onset")).drop("onset")
    advice = [advice_on(run) for run in before.partition_by("run")]
    assert len(advice) == 10
    assert not any(one.may_stop for one in advice)
    assert all(one.naive.would_stop for one in advice)


@pytest.mark.skipif(not (FOLDER / "curves.parquet").is_file(), reason="the public curves are not there")
def test_of_the_public_runs_that_grok_none_is_stopped_just_before_and_the_stated_number_is_right():
    labels = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    labels = {
        run: one for run, one in labels.items() if one["pattern"] == "grokking" and one["confidence"] != "low"
    }
    curves = pl.read_parquet(FOLDER / "curves.parquet").filter(pl.col("run").is_in(labels))
    runs = curves.partition_by("run", as_dict=True)
    cut = [frame.filter(pl.col("step") < labels[run]["onset"][0]) for (run,), frame in runs.items()]
    advice = [advice_on(frame) for frame in cut if not frame.is_empty()]
    told = [one for one in advice if one.outlook is not Outlook.CANNOT_TELL]
    assert (len(told), sum(one.may_stop for one in advice)) == (DELAYED - 5, DELAYED_STOPPED)
