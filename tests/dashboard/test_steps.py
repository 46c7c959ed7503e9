"""Runs that were logged at fractions of a step, of epochs mostly: pages say what their steps are."""

import json

import polars as pl
import pytest

from grokscope.dashboard.charts.elements.axes import THOUSANDTHS
from grokscope.dashboard.state.session import StoreSession

THEY = "They are counted in thousandths: 1,500 here is 1.5 there."


@pytest.fixture
def store(training, curves, grokscope, tmp_path):
    """A run that was imported by its epochs, beside one that was logged by its steps."""
    rows = pl.DataFrame(curves(groks=True), schema=["metric", "value", "step"], orient="row")
    by_epoch = rows.pivot("metric", index="step", values="value").with_columns(pl.col("step") / 1000)
    by_epoch.rename({"step": "epoch"}).write_csv(tmp_path / "by_epoch.csv")
    assert grokscope("import", "by_epoch.csv", "--store", training.uri, "--experiment", "mixed")[0] == 0
    experiment = training.client.get_experiment_by_name("mixed").experiment_id
    training.run(experiment, "by steps", curves(groks=True))
    return training.uri


def titles(app):
    specs = [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]
    return {
        layer["encoding"]["x"].get("title")
        for spec in specs
        for layer in spec["layer"]
        if "x" in layer.get("encoding", {})
    }


def test_pages_say_which_runs_count_their_steps_in_thousandths(store, page, texts):
    runs = StoreSession(store).snapshot("mixed").runs
    own, other = (runs.filter(pl.col("name") == name)["run_id"][0] for name in ("by_epoch", "by steps"))
    app = page("run", store, experiment="mixed", runs=[own])
    assert f"The steps of its log are fractions, of epochs for instance. {THEY}" in texts(app)
    assert THOUSANDTHS in titles(app)
    assert any(text.startswith("thousandths of a step with 95 % intervals") for text in texts(app))
    plain = page("run", store, experiment="mixed", runs=[other])
    assert not any("thousandths" in text for text in texts(plain))
    assert THOUSANDTHS not in titles(plain)
    said = (
        f"1 of 2 runs was logged at fractions of a step, of epochs for instance. {THEY} "
        "They are not the steps of the other runs."
    )
    for view in ("compare", "live", "runs"):
        both = page(view, store, experiment="mixed")
        told = texts(both)
        assert said in told
        assert THOUSANDTHS not in titles(both)
