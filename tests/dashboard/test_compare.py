"""The page Compare without a browser: which charts it has, and what its controls change."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from grokscope.dashboard.component.linked_charts.packing import unpacked
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.runs.overview import runs_table


def grid(app):
    """What the linked charts of the page Compare are given."""
    [element] = app.get("bidi_component")
    return unpacked(element.proto.bytes)


def test_compare_has_a_row_of_results_for_each_group(page, sweep):
    rows = page("compare", sweep.uri).dataframe[-1].value
    assert rows[["group", "runs", "grokked"]].to_numpy().tolist() == [["decay", 5, 3], ["none", 2, 0]]


def test_compare_draws_only_the_runs_that_are_selected(page, sweep):
    runs = runs_table(StoreSession(sweep.uri).snapshot("sweep"))["run_id"].to_list()[:2]
    app = page("compare", sweep.uri, runs=runs)
    assert app.dataframe[-1].value["runs"].sum() == 2
    app.button(key="compare_all").click().run()
    assert app.session_state["opened"] == ("compare", [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("compare_axis", "linear"),
        ("compare_by", "run"),
        ("compare_columns", "3"),
        ("compare_y", "log"),
        ("compare_centre", "median"),
        ("compare_band", "95 % interval"),
        ("compare_members", "hidden"),
    ],
)
def test_compare_changes_how_its_charts_are_drawn(page, sweep, key, value):
    app = page("compare", sweep.uri)
    before = grid(app)
    app.button_group(key=key).set_value(value).run()
    assert not app.exception
    assert grid(app) != before


def test_compare_begins_with_the_curves_that_runs_are_judged_by_losses_norm_and_dates(page, sweep):
    shown = [(chart["title"], chart["is_wide"]) for chart in grid(page("compare", sweep.uri))["charts"]]
    assert shown == [
        ("test accuracy", False),
        ("train accuracy", False),
        ("test loss", False),
        ("train loss", False),
        ("weight norm", False),
        ("When it happened", True),
    ]


def y_domain(chart):
    return chart["spec"]["layer"][0]["encoding"]["y"]["scale"]["domain"]


def test_compare_draws_each_metric_once_a_level_of_a_param_on_the_same_scale(page, sweep):
    shown = grid(page("compare", sweep.uri, split="seed"))
    charts = [chart for chart in shown["charts"] if chart["key"].startswith("metric:test/loss")]
    assert [chart["title"] for chart in charts] == [f"seed = {seed} · test loss" for seed in range(5)]
    assert [chart["begins_row"] for chart in charts] == [True, *[False] * 4]
    assert [chart["tools"] for chart in charts] == [["up", "down", "remove"], *[[]] * 4]
    assert len({tuple(y_domain(chart)) for chart in charts}) == 1
    names = [{line["name"] for line in chart["lines"] if line["is_read"]} for chart in charts]
    assert names == [{"decay", "none"}, {"decay", "none"}, {"decay"}, {"decay"}, {"decay"}]
    assert shown["columns"] == 3


@pytest.mark.parametrize("param", ["no such param", "<img src=x onerror=alert(1)>"])
def test_compare_draws_all_runs_in_one_chart_where_no_run_has_the_param(page, sweep, param):
    titles = [chart["title"] for chart in grid(page("compare", sweep.uri, split=param))["charts"]]
    assert titles == [chart["title"] for chart in grid(page("compare", sweep.uri))["charts"]]


def test_compare_draws_the_lowest_levels_of_many_as_numbers_and_says_what_is_left_out(page, training, texts):
    experiment = training.experiment("rates")
    rates = ["1", "0.5", "1e-3", "0.02", "10", "3", "2", "0.1", "auto", "7"]
    for rate in rates:
        training.run(
            experiment,
            rate,
            [("loss", 0.5, 0), ("loss", 0.4, 1)],
            params={"optim.lr": rate, "api_key": f"x{rate}"},
        )
    training.run(experiment, "without", [("loss", 0.5, 0), ("loss", 0.4, 1)])
    app = page("compare", training.uri, experiment="rates", split="optim.lr")
    levels = ["1e-3", "0.02", "0.1", "0.5", "1", "2", "3", "7"]
    assert [c["title"] for c in grid(app)["charts"]] == [f"lr = {level} · train loss" for level in levels]
    assert any(text.startswith("8 of 11 levels of lr are shown.") for text in texts(app))
    secret = grid(page("compare", training.uri, experiment="rates", split="api_key"))
    assert [c["title"] for c in secret["charts"]] == ["train loss"]


def test_compare_draws_any_metric_and_reads_off_a_line_a_group(page, sweep):
    app = page("compare", sweep.uri)
    app.multiselect(key="compare_charts").set_value(["weights/norm"]).run()
    assert not app.exception
    drawn = grid(app)
    assert [chart["key"] for chart in drawn["charts"]] == ["metric:weights/norm", "timeline"]
    read = [line["name"] for line in drawn["charts"][0]["lines"] if line["is_read"]]
    assert read == ["decay", "none"]


def test_compare_ends_where_the_runs_end_that_are_drawn(page, training):
    experiment = training.experiment("unlike")
    for name, metric, last in (("short", "train/loss", 40), ("long", "train/reward", 9000)):
        training.run(experiment, name, [(metric, step / 9000, step) for step in (0, last // 2, last)])
    app = page("compare", training.uri, experiment="unlike")
    app.multiselect(key="compare_charts").set_value(["train/loss"]).run()
    assert grid(app)["axes"]["shared"]["last"] == 40
    app.multiselect(key="compare_charts").set_value(["train/loss", "train/reward"]).run()
    assert grid(app)["axes"]["shared"]["last"] == 9000


def test_compare_draws_curves_over_what_was_spent(page, training, curves):
    experiment = training.experiment("priced")
    for seed, each in enumerate((3e9, 1e9)):
        flops = [("progress/flops", each * step, step) for step in (0, 2000)]
        training.run(experiment, f"r{seed}", [*curves(groks=True), *flops], params={"group": "g"})
    app = page("compare", training.uri, experiment="priced")
    app.selectbox(key="compare_over").set_value("FLOPs").run()
    assert not app.exception
    axis = grid(app)["axes"]["shared"]
    assert (axis["scale"], axis["last"]) == ("symlog", 6e12)


def test_compare_lays_runs_along_the_clock(page, sweep, texts):
    app = page("compare", sweep.uri)
    app.selectbox(key="compare_over").set_value("wall clock").run()
    assert not app.exception
    assert grid(app)["axes"]["shared"]["scale"] == "time"
    assert not any("left out" in text for text in texts(app))


@pytest.mark.parametrize(("event", "count"), [("memorized", 7), ("onset", 3)])
@pytest.mark.parametrize("distance", ["steps since", "times its step"])
def test_compare_lays_runs_along_events_of_their_own(page, sweep, event, count, distance, texts):
    app = page("compare", sweep.uri)
    app.button_group(key="compare_from").set_value(event).run()
    app.button_group(key="compare_distance").set_value(distance).run()
    assert not app.exception
    drawn = grid(app)
    assert drawn["axes"]["shared"]["scale"] == "symlog"
    assert (drawn["axes"]["shared"]["first"] < 0) == (distance == "steps since")
    runs = {line["key"] for line in drawn["charts"][0]["lines"] if not line["is_read"]}
    assert len(runs) == count
    assert len([text for text in texts(app) if "left out" in text]) == (count < 7)


def test_compare_draws_a_path_a_run_along_another_metric_and_dates_over_steps(page, training, texts):
    experiment = training.experiment("paths")
    loss = [("test/loss", 4.0 - step, step) for step in range(4)]
    norm = [("weights/norm", value, step) for step, value in ((1, 20.0), (3, 10.0))]
    training.run(experiment, "r", [*loss, *norm])
    training.run(experiment, "without", loss)
    app = page("compare", training.uri, experiment="paths")
    app.multiselect(key="compare_charts").set_value(["test/loss", "weights/norm"])
    app.selectbox(key="compare_over").set_value("a metric").run()
    app.selectbox(key="compare_along").set_value("weights/norm").run()
    assert not app.exception
    drawn = grid(app)
    [chart] = drawn["charts"]
    [line] = chart["lines"]
    assert (chart["title"], line["name"]) == ("test loss · 1 of 2 runs", "r")
    assert (line["steps"], line["x"], line["y"]) == ([1, 2, 3], [20, 20, 10], [3, 2, 1])
    assert drawn["axes"]["shared"] | {"unit": "weight norm", "scale": "linear"} == drawn["axes"]["shared"]
    assert any("at or before its step. It is not drawn along itself." in text for text in texts(app))


@pytest.mark.parametrize("smoothing", ["none", "5 points"])
def test_marks_stand_on_the_paths_and_the_timeline_keeps_to_steps(page, sweep, smoothing):
    app = page("compare", sweep.uri)
    app.selectbox(key="compare_smoothing").set_value(smoothing)
    app.selectbox(key="compare_over").set_value("a metric").run()
    app.selectbox(key="compare_along").set_value("weights/norm").run()
    assert not app.exception
    drawn = grid(app)
    assert {chart["axis"] for chart in drawn["charts"][:-1]} == {"shared"}
    assert (drawn["charts"][-1]["key"], drawn["charts"][-1]["axis"]) == ("timeline", "steps")
    rows = [row for data in drawn["charts"][0]["spec"]["datasets"].values() for row in data]
    onsets = [row for row in rows if row.get("event") == "onset" and row["value"] is not None]
    assert len(onsets) == 3
    # The norm is 20 and a hundredth of the step, and is known at every 25th.
    assert all(25 < row["step"] < 28 and row["low"] is None for row in onsets)


@pytest.mark.parametrize(
    ("said", "height"),
    [("300", 300), ("99999", None), ("-300", None), ("<b>", None), ("²", None), ("", None)],
)
def test_a_height_in_the_address_is_taken_if_it_is_one(said, height):
    app = AppTest.from_function(_height)
    app.query_params["compare_height"] = said
    app.run()
    assert (app.exception, app.markdown[0].value) == ([], str(height))


def _height():
    import streamlit as st  # noqa: PLC0415 - AppTest runs the text of this function alone

    from grokscope.dashboard.views.compare.height import chosen_height  # noqa: PLC0415

    st.markdown(str(chosen_height()))


def test_compare_smooths_curves_and_leaves_what_was_logged_to_be_seen(page, sweep, texts):
    app = page("compare", sweep.uri)
    app.selectbox(key="compare_smoothing").set_value("EMA 0.9").run()
    assert any(text.startswith("Smoothed for the eye") for text in texts(app))


def test_a_diverged_run_is_cut_and_named_until_outliers_are_asked_for(page, training, texts):
    experiment = training.experiment("diverged")
    for seed, top in enumerate([2.0, 2.1, 2.2, 1e35]):
        curve = [("train/loss", top if step > 4 else 2.0 / (1 + step), step) for step in range(9)]
        training.run(experiment, f"weight_decay={seed}, seed {seed}", curve, params={"seed": seed})
    app = page("compare", training.uri, experiment="diverged")

    def highest():
        return y_domain(grid(app)["charts"][0])[1]

    def said():
        return [text for text in texts(app) if "far beyond" in text]

    assert highest() < 3
    assert [text.replace("\\", "").partition(".")[0] for text in said()] == [
        "train/loss: the y-axis is that of the other runs; weight_decay=3, seed 3 goes far beyond it"
    ]
    app.button_group(key="compare_outliers").set_value("shown").run()
    assert highest() > 1e35
    assert said() == []


def test_compare_shows_in_what_runs_differ(page, sweep):
    app = page("compare", sweep.uri)
    table = app.dataframe[0].value
    assert table["name"].tolist() == ["group", "seed"]
    assert len(table.columns) == 8


def test_many_runs_over_each_other_are_drawn_with_more_rows_than_altair_allows(page, training):
    experiment = training.experiment("many")
    curve = [("test/accuracy", step / 500, step) for step in range(500)]
    for seed in range(12):
        training.run(experiment, f"r{seed}", curve, params={"group": "g", "seed": seed})
    app = page("compare", training.uri, experiment="many")
    assert app.dataframe[-1].value["runs"].tolist() == [12]


def test_compare_draws_its_charts_one_by_one_where_the_linked_ones_fail(page, sweep, texts):
    app = page("compare", sweep.uri)
    app.session_state["compare_grid_failed"] = True
    app.run()
    assert not app.exception
    assert len(app.get("bidi_component")) == 0
    titles = [json.loads(chart.proto.spec).get("title") for chart in app.get("vega_lite_chart")]
    assert titles[:2] == ["test accuracy", "train accuracy"]
    assert any("could not be drawn in this browser" in text for text in texts(app))
