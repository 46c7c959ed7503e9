"""The labelled public curves, where they lie beside the repository; else committed synthetic ones."""

import os
from pathlib import Path

import polars as pl
import pytest

from grokscope.schemas import Pattern
from grokscope.transitions import detect
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.evaluation.scoring import Label, Score, Tally, labels_from_json, score
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Shape, synthetic_run, truth_of

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
FOLDER = Path(os.environ.get("GROKSCOPE_PUBLIC_CURVES", BESIDE))


def public() -> tuple[Score, list[Label]]:
    points = pl.read_parquet(FOLDER / "curves.parquet")
    labels = labels_from_json(FOLDER / "labels.json")
    return score(detect(points), labels, steps=_grids(points)), labels


def synthetic() -> tuple[Score, list[Label]]:
    recipes = [
        CurveRecipe(
            noise=0.02, seed=i, shape=list(Shape)[i % 3], midpoint=None if i % 4 == 3 else 2000.0 + 100 * i
        )
        for i in range(40)
    ]
    points = pl.concat([synthetic_run(recipe, run_id=str(i)) for i, recipe in enumerate(recipes)])
    labels = [_label(str(i), recipe) for i, recipe in enumerate(recipes)]
    return score(detect(points), labels, steps=_grids(points)), labels


@pytest.fixture(scope="module")
def result() -> tuple[Score, list[Label]]:
    return public() if (FOLDER / "curves.parquet").is_file() else synthetic()


def test_patterns_reach_the_floor(result: tuple[Score, list[Label]]):
    assert result[0].macro_f1 >= 0.97


def test_no_negative_run_raises_a_false_alarm(result: tuple[Score, list[Label]]):
    negatives = sum(label.is_negative and label.is_certain for label in result[1])
    assert result[0].false_alarms == Tally(hits=0, total=negatives)


def test_onsets_and_their_intervals_agree_with_the_labels(result: tuple[Score, list[Label]]):
    found = result[0]
    assert found.onset.hits >= 0.98 * found.onset.total
    assert found.overlap.hits >= 0.98 * found.overlap.total
    assert found.width_decades <= 0.15


def test_every_collapse_and_phase_change_is_found(result: tuple[Score, list[Label]]):
    found = result[0]
    assert found.collapse.hits == found.collapse.total
    assert found.phase_change.hits == found.phase_change.total


def _grids(points: pl.DataFrame):
    return {
        run: curves["test/accuracy"].steps
        for run, curves in curves_by_run(points).items()
        if "test/accuracy" in curves
    }


def _label(run: str, recipe: CurveRecipe) -> Label:
    truth = truth_of(recipe)
    onset = None if truth.onset is None else (truth.onset * 0.93, truth.onset * 1.07)
    is_negative = truth.pattern is Pattern.MEMORIZATION
    return Label(run=run, pattern=truth.pattern, onset=onset, is_negative=is_negative)
