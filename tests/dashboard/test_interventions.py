"""The page Interventions, drawn on a real store without a browser."""

import pytest

from grokscope.dashboard.state.selection import group_key
from grokscope.dashboard.state.session import StoreSession


@pytest.fixture(scope="module")
def grid(new_training, tmp_path_factory, curves):
    """Two weight decays by two learning rates, three seeds each; one of the four cells never generalizes."""
    training = new_training(tmp_path_factory.mktemp("grid") / "mlflow.db")
    experiment = training.experiment("grid")
    for wd in ("0.1", "1"):
        for lr in ("0.001", "0.01"):
            for seed in range(3):
                groks = (wd, lr) != ("0.1", "0.001")
                points = curves(groks=groks)
                flops = [("progress/flops", 1e9 * step, step) for step in (0, 2000)]
                params = {"wd": wd, "lr": lr, "seed": seed, "group": f"wd {wd}"}
                training.run(experiment, f"{wd} {lr} {seed}", [*points, *flops], params=params)
    return training


def test_the_page_answers_first_and_has_a_row_a_group(page, grid, texts):
    app = page("interventions", grid.uri, experiment="grid")
    assert any("**wd 1**" in said and "6 of 6 runs" in said for said in texts(app))
    table = app.dataframe[0].value
    assert table[["group", "runs", "reached"]].to_numpy().tolist() == [["wd 1", 6, 6], ["wd 0.1", 6, 3]]
    assert len(app.get("vega_lite_chart")) == 4


def test_costs_are_counted_in_the_unit_and_up_to_the_budget_that_is_asked_for(page, grid):
    app = page("interventions", grid.uri, experiment="grid")
    in_teraflop = app.dataframe[0].value["median"][0]
    app.button_group(key="interventions_unit").set_value("steps").run()
    assert not app.exception
    assert in_teraflop == pytest.approx(app.dataframe[0].value["median"][0] / 1e3)
    budget = next(field for field in app.number_input if field.label == "Budget, steps")
    budget.set_value(10.0).run()
    assert app.dataframe[0].value["share"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("degree", ["midpoint", "onset"])
def test_each_degree_of_generalization_can_be_asked_for(page, grid, degree):
    app = page("interventions", grid.uri, experiment="grid")
    first = app.dataframe[0].value["median"][0]
    app.button_group(key="interventions_until").set_value(degree).run()
    assert not app.exception
    assert app.dataframe[0].value["median"][0] < first


def test_a_level_of_any_metric_can_be_asked_for(page, grid, texts):
    app = page("interventions", grid.uri, experiment="grid")
    app.button_group(key="interventions_until").set_value("metric").run()
    assert not app.exception
    assert any("test\\/accuracy ≥ 0\\.95" in said for said in texts(app))
    app.selectbox(key="interventions_metric").set_value("weights/norm").run()
    level = next(field for field in app.number_input if field.label == "Level")
    level.set_value(25.0).run()
    assert not app.exception
    assert app.dataframe[0].value["reached"].sum() == 12


TABS = {
    "Against one param": "No power law of lr is read",
    "Compute and quality": "groups are beaten by no other",
    "Noise and seeds": "A gain is judged against",
    "Tuning budget": "what picking the best seed would give",
    "Workloads": "is the fastest on",
    "All params": "A line a run",
    "Forecasts": "No run is in training: nothing to forecast.",
}


def test_each_tab_says_what_it_shows_or_why_it_cannot_be_told(page, grid, texts):
    app = page("interventions", grid.uri, experiment="grid")
    for tab, wanted in TABS.items():
        app.session_state["interventions_tab"] = tab
        app.run()
        assert not app.exception
        said = [text.replace("\\", "") for text in texts(app)]
        assert any(wanted in text for text in said), tab


def test_a_cell_leads_to_its_runs(page, grid):
    app = page("interventions", grid.uri, experiment="grid")
    key = f"interventions_phase_{group_key('lr wd')}"
    app.session_state[key] = {"selection": {"cell": [{"x": "0.01", "y": "1"}]}}
    app.run()
    app.button(key="interventions_open").click().run()
    view, runs = app.session_state["opened"]
    names = StoreSession(grid.uri).snapshot("grid").runs
    assert view == "compare"
    mine = sorted(names.filter(names["run_id"].is_in(runs))["label"])
    assert mine == [f"1 0.01 {seed}" for seed in range(3)]


def test_runs_of_one_setting_have_no_phase_diagram_and_the_page_says_so(page, sweep, texts):
    said = texts(page("interventions", sweep.uri))
    assert any(text.startswith("A phase diagram takes two params") for text in said)
    assert any("1 run still training: counted as not there yet." in text for text in said)


def test_only_the_runs_that_are_selected_are_compared(page, grid):
    names = StoreSession(grid.uri).snapshot("grid").runs
    mine = names.filter(names["label"].str.ends_with(" 0"))["run_id"].to_list()
    app = page("interventions", grid.uri, experiment="grid", runs=mine)
    assert app.dataframe[0].value["runs"].sum() == 4
    app.button(key="interventions_all").click().run()
    assert app.session_state["opened"] == ("interventions", [])
