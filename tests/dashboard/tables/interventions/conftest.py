"""The recorded sweep, weight decay by share of the data with two seeds, as rows of costs."""

from pathlib import Path

import polars as pl
import pytest

from grokscope.dashboard.tables.interventions.reaching import REACHING
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.target import Target

SWEEP = Path(__file__).parents[3] / "data" / "sweep.parquet"
TARGET = Target.parse("test/accuracy>=0.95")
NAMES = {"intervention.regularization.weight_decay": "weight_decay", "intervention.data.fraction": "fraction"}


@pytest.fixture(scope="session")
def recorded():
    return pl.read_parquet(SWEEP, glob=False).rename({"run": "run_id"})


@pytest.fixture(scope="session")
def frame(recorded):
    """``run_id, weight_decay, fraction``."""
    return recorded.select("run_id", *NAMES).unique().rename(NAMES).sort("run_id")


@pytest.fixture(scope="session")
def rows(recorded, frame):
    """``REACHING``, in steps, grouped by weight decay."""
    costs = costs_of(recorded, TARGET).join(frame, on="run_id")
    return costs.with_columns(
        run=pl.col("run_id"),
        group=pl.format("weight_decay {}", "weight_decay"),
        is_setting=pl.lit(value=True),
        at=pl.when("reached").then("high").otherwise("low"),
        end=pl.when("reached").then(pl.lit("reached")).otherwise(pl.lit("finished")),
        lost=pl.lit(value=False),
    ).match_to_schema(REACHING, extra_columns="ignore")
