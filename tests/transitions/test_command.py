"""``grokscope detect``: whose grokking step, and how much it depends on that."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from grokscope.cli.commands.detect import detect as command
from grokscope.transitions import DEFINITIONS, UnknownDefinitionError, detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run


@pytest.fixture
def points(tmp_path):
    frame = synthetic_run(CurveRecipe(evaluations=300, width=0.6), run_id="a").rename({"run_id": "run"})
    frame.write_parquet(tmp_path / "curves.parquet")
    return tmp_path / "curves.parquet"


def said(*arguments: str) -> str:
    import typer  # noqa: PLC0415  one app for one command

    app = typer.Typer()
    app.command()(command)
    found = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_definition_chosen_is_the_one_that_dates_the_midpoint(points, name: str):
    verdict = json.loads(said(str(points), "--format", "json", "--definition", name))
    expected = detect(pl.read_parquet(points), definition=name)[0]
    assert verdict["definition"] == name
    assert verdict["midpoint"]["step"] == (expected.midpoint.step if expected.midpoint else None)


def test_a_wrong_definition_is_told_before_anything_is_read():
    with pytest.raises(UnknownDefinitionError, match="closest: 's-curve'"):
        said("nowhere.parquet", "--definition", "scurve")


def test_sensitivity_prints_one_row_a_run_and_definition(points):
    rows = [json.loads(line) for line in said(str(points), "--sensitivity", "--format", "json").splitlines()]
    assert [row["definition"] for row in rows] == list(DEFINITIONS)
    table = said(str(points), "--sensitivity").splitlines()
    assert [line.split("\t")[:2] for line in table] == [["a *", name] for name in DEFINITIONS]
