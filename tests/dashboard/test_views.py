import pytest

from grokscope.dashboard.component.registration import DATED_CHART
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.runs.overview import runs_table

VIEWS = ("live", "runs", "compare", "interventions", "run", "measures", "health")
CHARTS = {
    "live": 3,
    "runs": 0,
    "compare": 0,
    "interventions": 2,
    "run": 4,
    "measures": 1,
    "health": 0,
}


def chart_count(app):
    """Charts, with the one on which events are moved, where its scripts are served; not the linked ones."""
    own = [one.proto.component_name for one in app.get("bidi_component")]
    return len(app.get("vega_lite_chart")) + own.count(DATED_CHART)


@pytest.mark.parametrize("view", VIEWS)
def test_a_sweep_is_drawn(page, sweep, view):
    assert chart_count(page(view, sweep.uri)) == CHARTS[view]


@pytest.mark.parametrize("view", VIEWS)
def test_a_store_without_runs_says_how_to_get_one(page, training, view):
    app = page(view, training.uri, experiment=None)
    assert app.subheader[0].value == "No runs yet"
    assert app.code[0].value == "grokscope demo"
    assert "tracker.evaluate(step, train=train_set, test=test_set)" in app.code[1].value


@pytest.mark.parametrize("view", VIEWS)
def test_an_experiment_without_runs_says_what_to_do(page, training, view):
    training.experiment("nothing here")
    app = page(view, training.uri, experiment="nothing here")
    assert app.subheader[0].value == "This experiment has no runs yet"
    assert "Choose another experiment above, or start a run in this one." in [m.value for m in app.markdown]


@pytest.mark.parametrize("view", VIEWS)
def test_a_store_that_is_not_there_yet_is_waited_for(page, tmp_path, view, texts):
    app = page(view, f"sqlite:///{tmp_path / 'later.db'}", experiment=None)
    assert app.subheader[0].value == "No runs yet"
    assert not app.error


@pytest.mark.parametrize("view", VIEWS)
def test_a_store_that_cannot_be_read_says_so_and_what_to_do(page, tmp_path, view):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database" * 100)
    app = page(view, f"sqlite:///{broken}", experiment=None)
    assert len(app.error) == 1
    assert [b.label for b in app.button] == ["Try again now"]
    assert any("grokscope up --store" in m.value for m in app.markdown)


@pytest.mark.parametrize("view", VIEWS)
def test_a_single_run_is_drawn(page, training, view):
    experiment = training.experiment("one")
    training.run(experiment, "only", [("train/loss", 1.0, 0)])
    assert (
        chart_count(page(view, training.uri, experiment="one"))
        == {
            "live": 1,
            "compare": 0,
            "interventions": 0,
            "run": 1,
            "runs": 0,
            "measures": 0,
            "health": 0,
        }[view]
    )


@pytest.mark.parametrize("view", VIEWS)
def test_a_run_that_has_logged_nothing_yet_breaks_no_page(page, training, view):
    training.run(training.experiment("fresh"), "starting", [], status="RUNNING")
    assert chart_count(page(view, training.uri, experiment="fresh")) == 0


def test_live_says_what_each_run_in_training_does_now(page, sweep, texts):
    said = texts(page("live", sweep.uri))
    assert "**in training**" in said
    assert any(text.startswith(":violet-badge[memorized]") for text in said)
    assert "step 500 of 2,000 · 25 % · time left: too few points to tell · last point 0 s ago" in said
    assert "train\\/accuracy 99.9 % · test\\/accuracy 2.0 %" in said


def test_live_marks_a_run_that_has_fallen_silent(page, sweep, texts):
    assert any("trainer silent since" in text for text in texts(page("live", sweep.uri)))


def test_live_counts_what_has_happened(page, sweep):
    metrics = {m.label: m.value for m in page("live", sweep.uri).metric}
    assert metrics["Training now"] == "1"
    assert metrics["Ended"] == "5 of 7"
    assert metrics["Generalized"] == "3 of 7"


def test_the_table_keeps_numbers_numeric(page, sweep):
    table = page("runs", sweep.uri).dataframe[0].value
    for column in ("memorized", "onset", "delay", "final", "seed"):
        assert table[column].dtype.kind in "if", column


def test_run_says_in_words_what_happened(page, sweep, texts):
    run = runs_table_of(sweep).filter(run="decay 0")["run_id"][0]
    said = texts(page("run", sweep.uri, runs=[run]))
    begin = "**Grokking (generalized late).** The training set was fit by step"
    assert any(text.startswith(begin) for text in said)
    assert any("generalization \\(midpoint\\) at step" in text for text in said)


def test_run_shows_params_by_axis(page, sweep, texts):
    app = page("run", sweep.uri)
    app.button_group(key="run_section").set_value("Setup").run()
    said = texts(app)
    axes = ["compute · scale", "compute · exposure", "other"]
    assert [text for text in said if text in axes] == axes
    assert "width  **128**" in said


def test_run_goes_to_the_run_that_is_picked(page, sweep):
    app = page("run", sweep.uri)
    run = runs_table_of(sweep)["run_id"][-1]
    app.selectbox[0].set_value(run).run()
    assert app.session_state["opened"] == ("run", [run])


@pytest.mark.parametrize("view", VIEWS)
def test_every_chart_and_table_says_what_it_shows(page, sweep, view):
    app = page(view, sweep.uri)
    assert all(chart.proto.alt for chart in app.get("vega_lite_chart"))


def runs_table_of(sweep):
    return runs_table(StoreSession(sweep.uri).snapshot("sweep"))


def test_leads_says_what_a_lead_is_and_why_runs_are_left_out(page, sweep, texts):
    app = page("measures", sweep.uri)
    said = texts(app)
    assert any("half-way through its own change half a delay before" in text for text in said)
    assert any("There is one configuration. Whether its leads hold" in text for text in said)
    assert [box.label for box in app.expander if "left out" in box.label] == [
        "4 of 7 runs are left out, and why"
    ]


def test_leads_counts_runs_as_configurations_when_asked(page, sweep, texts):
    app = page("measures", sweep.uri)
    app.button_group(key="leads_by").set_value("run").run()
    assert any("With 3 configurations the smallest possible p-value is 0.25." in text for text in texts(app))


def test_leads_of_runs_without_an_event_cannot_be_told_and_the_page_says_so(page, sweep):
    run = runs_table_of(sweep).filter(run="none 0")["run_id"][0]
    app = page("measures", sweep.uri, runs=[run])
    assert app.info[0].value.startswith("No run has both a delay and a measure that changed")


def test_run_draws_which_measure_moved_first_and_its_exploratory_segments(page, sweep, texts):
    run = runs_table_of(sweep).filter(run="decay 0")["run_id"][0]
    app = page("run", sweep.uri, runs=[run])
    drawn = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert any(text.startswith("When each measure had changed") for text in drawn)
    assert "Exploratory: segments of all measures" in [box.label for box in app.expander]
    assert not any(text.startswith("Exploratory: ") for text in texts(app))
    app.session_state["run_segments_box"] = True
    app.run()
    assert not app.exception
    assert any(text.startswith("Exploratory: a picture to look at, not a verdict.") for text in texts(app))


def test_run_shows_how_much_its_date_depends_on_the_definition_and_each_check(page, sweep, texts):
    run = runs_table_of(sweep).filter(run="decay 0")["run_id"][0]
    app = page("run", sweep.uri, runs=[run])
    said = texts(app)
    assert "By definition" in said
    assert any(text.startswith(":green[✓] **train fit sustained**") for text in said)


def test_run_draws_the_range_of_steps_that_is_asked_for(page, sweep):
    app = page("run", sweep.uri)
    before = app.get("vega_lite_chart")[0].proto.spec
    app.select_slider(key="run_window").set_range(100, 500).run()
    assert not app.exception
    spec = app.get("vega_lite_chart")[0].proto.spec
    assert spec != before
    assert '"domain": [100, 500]' in spec


def test_live_says_where_each_run_stands_and_what_changed_newest_first(page, sweep, texts):
    said = texts(page("live", sweep.uri))
    assert "What changed" in said
    assert len([text for text in said if "badge[confirmed]" in text]) == 10
    assert len([text for text in said if text.startswith("● generalization (midpoint) at step ")]) == 3
    assert "**decay 0**" in said


def test_runs_says_what_each_metric_is_taken_for_and_a_person_can_say_otherwise(page, training, texts):
    run = training.run(training.experiment("e"), "r", [("Train/Acc", 1.0, 0), ("probe", 0.5, 0)])
    app = page("runs", training.uri, experiment="e")
    assert "What each metric is taken for · 1 guessed" in [box.label for box in app.expander]
    rows = app.dataframe[-1].value
    assert rows[["logged as", "taken for", "how"]].to_numpy().tolist() == [
        ["Train/Acc", "train/accuracy", "guessed"],
        ["probe", "–", "unknown"],
    ]
    app.selectbox(key="naming_name").set_value("probe").run()
    app.selectbox(key="naming_key").set_value("test/accuracy").run()
    app.button(key="naming_keep").click().run()
    assert not app.exception
    assert list(StoreSession(training.uri).metrics([run])) == ["probe", "train/accuracy"]
    snapshot = (reader := StoreSession(training.uri)).snapshot("e")
    assert list(reader.metrics([run])) == ["test/accuracy", "train/accuracy"]
    assert set(snapshot.curves["metric"]) == {"test/accuracy", "train/accuracy"}


def test_what_is_cut_is_said_with_how_to_see_the_rest(page, training, texts):
    experiment = training.experiment("wide")
    curve = [("train/accuracy", 1.0, step) for step in range(6)] + [
        ("test/accuracy", 0.1, step) for step in range(6)
    ]
    for i in range(22):
        training.run(experiment, f"r{i}", curve, params={"group": f"arm {i}"})
    said = texts(page("live", training.uri, experiment="wide"))
    assert "12 of 22 groups are shown. The page Compare draws all." in said
    assert any(
        text.startswith("20 of 22 groups have a colour of their own; the others are grey") for text in said
    )


def test_a_run_that_has_lost_points_says_so_beside_its_curves(page, training):
    run = training.run(training.experiment("lost"), "only", [("train/loss", 1.0, 0)])
    assert not page("run", training.uri, experiment="lost").warning
    training.client.set_tag(run, "grokscope.damage", "20 bytes could not be read (segment 0, byte 9: <b>)")
    training.client.set_tag(run, "grokscope.dropped", "7")
    training.client.set_tag(run, "grokscope.refused", "2; the last: postgresql://ann:canary@h is no name")
    (warning,) = page("run", training.uri, experiment="lost").warning
    for words in ("could not take 7 points", "20 bytes could not be read", "refused records", "is no name"):
        assert words in warning.value
    assert "canary" not in warning.value
    assert "<b>" not in warning.value
