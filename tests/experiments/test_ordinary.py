"""Ordinary trainings: they train, they log under their names, and each recorded one has its owner's words."""

import json
import math
from itertools import islice
from pathlib import Path

import polars as pl
import pytest

from grokscope.experiments.ordinary import TRAININGS
from grokscope.experiments.ordinary.__main__ import recorded
from grokscope.schemas import Pattern

DATA = Path(__file__).parents[1] / "data"
TOLD = json.loads((DATA / "ordinary.json").read_text())
BY_NAME = {training.__name__: training for training in TRAININGS}
KEYS = {"trained", "happened", "pattern", "accept", "overfits", "best", "diverged", "notes"}


@pytest.fixture(scope="module")
def recording():
    return pl.read_parquet(DATA / "ordinary.parquet", glob=False)


def first_rows(name, count):
    return list(islice(BY_NAME[name](), count))


@pytest.mark.parametrize(
    ("name", "steps", "metrics"),
    [
        ("spirals_linear", [1, 2, 3], {"Train Loss", "Train Acc", "Test Loss", "Test Acc"}),
        ("sines_diverged", [5, 10, 15], {"loss", "val_loss", "val_mae"}),
    ],
)
def test_a_training_trains_and_logs_under_its_own_names(name, steps, metrics):
    rows = first_rows(name, 3)
    assert [step for step, _ in rows] == steps
    assert all(set(values) == metrics for _, values in rows)
    assert all(math.isfinite(value) for _, values in rows for value in values.values())
    losses = [values["Train Loss" if "Train Loss" in metrics else "loss"] for _, values in rows]
    assert losses == sorted(losses, reverse=True)


def test_a_training_gives_the_same_numbers_again():
    assert first_rows("spirals_linear", 5) == first_rows("spirals_linear", 5)


def test_one_through_our_tracker_gives_its_curves_and_measures():
    [(step, values)] = first_rows("digits_few", 1)
    assert step == 0
    assert {"train/accuracy", "train/loss", "test/accuracy", "test/loss", "weights/norm"} <= set(values)


def test_a_recording_holds_what_was_logged_to_five_digits_and_nothing_of_the_clock():
    def told():
        yield 0, {"loss": 1.0 / 3.0, "progress/seconds": 7.0, "collector/share": 0.5}
        yield 10, {"loss": math.nan}

    frame = recorded(told)
    assert frame.schema == {"run": pl.String, "step": pl.Int64, "metric": pl.String, "value": pl.Float64}
    assert frame.rows()[0] == ("told", 0, "loss", 0.33333)
    assert frame.rows()[1][:3] == ("told", 10, "loss")
    assert math.isnan(frame.rows()[1][3])
    assert len(frame) == 2


def test_there_are_thirty_each_recorded_and_told(recording):
    assert len(BY_NAME) == 30
    assert recording["run"].unique(maintain_order=True).to_list() == list(BY_NAME)
    assert list(TOLD) == list(BY_NAME)
    assert (DATA / "ordinary.parquet").stat().st_size < 300_000


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_is_complete_and_no_run_groks(name):
    told = TOLD[name]
    assert set(told) == KEYS
    assert all(told[key].endswith(".") for key in ("trained", "happened", "notes"))
    assert told["pattern"] == told["accept"][0]
    assert set(told["accept"]) <= set(Pattern) - {Pattern.GROKKING}
    assert (told["overfits"], told["best"] is None) != (True, True)


@pytest.mark.parametrize("name", [name for name, told in TOLD.items() if told["best"]])
def test_the_best_step_that_is_told_is_near_that_of_the_recording(recording, name):
    best = TOLD[name]["best"]
    curve = recording.filter(
        (pl.col.run == name) & (pl.col.metric == best["metric"]) & pl.col.value.is_finite()
    )
    is_score = any(word in best["metric"] for word in ("acc", "r2"))
    first, last = best["between"]
    assert curve.sort("value", descending=is_score)["step"].is_between(first, last)[0]
    assert first <= best["step"] <= last
