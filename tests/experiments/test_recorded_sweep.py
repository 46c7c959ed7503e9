"""The recorded sweep: thirty runs of ``examples/sweep.toml``, as ``make sweep-demo`` trained them.

``grokscope export --params --metric KEY ...`` wrote the file.
"""

from pathlib import Path

import polars as pl
import pytest

from grokscope.collectors import log_spaced
from grokscope.experiments import read_config
from grokscope.schemas import Pattern
from grokscope.transitions import detect

REPOSITORY = Path(__file__).parents[2]
FILE = REPOSITORY / "tests/data/sweep.parquet"
WEIGHT_DECAY, FRACTION = "intervention.regularization.weight_decay", "intervention.data.fraction"


@pytest.fixture(scope="module")
def sweep():
    return pl.read_parquet(FILE, glob=False)


@pytest.fixture(scope="module")
def patterns(sweep):
    points = sweep.select("run", "step", "metric", "value")
    cells = sweep.select("run", WEIGHT_DECAY, FRACTION).unique().rows()
    found = {verdict.run: verdict.pattern for verdict in detect(points)}
    by_cell = {}
    for run, *cell in cells:
        by_cell.setdefault(tuple(cell), []).append(found[run])
    return by_cell


def test_it_holds_every_run_of_the_file_once_with_its_params(sweep):
    cells = read_config(REPOSITORY / "examples/sweep.toml").cells
    wanted = {(cell.group, cell.seed) for cell in cells}
    recorded = sweep.select("run", "group", "seed").unique()
    assert len(cells) == recorded.height == 30
    assert set(recorded.select("group", "seed").rows()) == wanted
    assert not sweep.select("run", "metric", "step").is_duplicated().any()
    assert FILE.stat().st_size < 500_000


def test_all_runs_share_their_steps_but_those_around_what_the_live_detector_suspects(sweep):
    due = {step for step in range(4001) if log_spaced()(step)} | {4000}
    steps = sweep.filter(metric="test/accuracy").group_by("run").agg("step")["step"].to_list()
    assert set.intersection(*map(set, steps)) == due


def test_without_weight_decay_no_run_generalizes_and_with_enough_of_both_every_run_does(patterns):
    assert {one for (decay, _), each in patterns.items() if decay == 0 for one in each} == {
        Pattern.MEMORIZATION
    }
    assert patterns[1.0, 0.5] == [Pattern.GROKKING] * 2
    assert patterns[0.1, 0.3] == [Pattern.MEMORIZATION] * 2
