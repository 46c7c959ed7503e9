"""The noise floor of a public speedrun of pretraining, where its logs are beside the checkout."""

from pathlib import Path

import polars as pl
import pytest

from grokscope.interventions.noise.decision import decide
from grokscope.interventions.noise.floor import noise_floor
from grokscope.interventions.noise.replicates import independent_runs, shared_curves

LOGS = Path(__file__).parents[3].parent / "shared" / "data" / "interventions" / "speedrun_track3.parquet"

pytestmark = pytest.mark.skipif(not LOGS.exists(), reason="the public logs are not beside the checkout")


@pytest.fixture(scope="module")
def curves():
    return pl.read_parquet(LOGS).rename({"run": "run_id"})


def test_runs_that_were_logged_in_two_folders_are_found(curves):
    repeats = shared_curves(curves)
    assert {repeat.kind for repeat in repeats} == {"same curve"}
    folder = dict(curves.select("run_id", "record").unique().iter_rows())
    assert all(len({folder[run] for run in repeat.runs}) == 2 for repeat in repeats)
    # Seven of the ten are one run in a folder's own log and in two parts of the log of all its runs.
    assert sorted(len(repeat.runs) for repeat in repeats) == [2, 2, 2, 3, 3, 3, 3, 3, 3, 3]
    assert (len(folder), independent_runs(folder, repeats)) == (557, 540)


def test_one_noise_floor_holds_for_all_records(curves):
    ends = curves.filter(pl.col("step") == pl.col("planned"), pl.col("value") < 3.4)
    floor = noise_floor(ends["value"], list(zip(ends["record"], ends["planned"], strict=True)))
    assert floor.sd.value == pytest.approx(0.0011, abs=0.00005)
    assert floor.df > 400
    assert floor.caveat is None
    assert decide(0.4 * floor.sd.value, floor, 10, 10).verdict == "undecided"
