"""Thirty ordinary trainings, none of which groks: what is said of them is what their owners say."""

import json
from pathlib import Path

import polars as pl
import pytest

from grokscope.schemas import Kind
from grokscope.transitions import detect

DATA = Path(__file__).parents[1] / "data"
OWNERS = json.loads((DATA / "ordinary.json").read_text())


@pytest.fixture(scope="module")
def verdicts():
    points = pl.read_parquet(DATA / "ordinary.parquet", glob=False).rename({"run": "run_id"})
    return {verdict.run: verdict for verdict in detect(points)}


@pytest.mark.parametrize("run", OWNERS)
def test_an_ordinary_training_is_told_as_its_owner_tells_it(run: str, verdicts):
    owner, verdict = OWNERS[run], verdicts[run]
    # Where nothing but losses was logged the engine claims no phase, and says so.
    claims_nothing = any(reason.startswith("Only losses tell") for reason in verdict.missing)
    assert claims_nothing or verdict.pattern.value in {owner["pattern"], *owner["accept"]}
    kinds = {event.kind for event in verdict.transitions}
    assert owner["overfits"] in (None, Kind.OVERFITTING in kinds)
    assert owner["diverged"] in (None, Kind.DIVERGENCE in kinds)
    assert verdict.delay is None or verdict.delay.steps >= 0
