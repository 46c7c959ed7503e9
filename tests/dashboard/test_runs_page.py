import pytest

from grokscope.dashboard.state.session import StoreSession
from grokscope.schemas.tags import NOTE


@pytest.fixture
def three(training, curves):
    experiment = training.experiment("three")
    params = [{"group": "a", "lr": "0.1"}, {"group": "b", "lr": "0.2"}, {"group": "b", "lr": "0.2"}]
    runs = [
        training.run(experiment, f"r{i}", curves(groks=i > 0), params=own) for i, own in enumerate(params)
    ]
    return training, runs


def ticked(app, runs):
    app.session_state["runs_ticked"] = list(runs)
    return app.run()


def tags(training, run):
    return training.client.get_run(run).data.tags


def labels(app):
    return [button.label for button in app.button]


def test_rows_of_groups_count_and_date_them(page, sweep):
    app = page("runs", sweep.uri)
    app.button_group(key="runs_rows").set_value("groups").run()
    assert not app.exception
    rows = app.dataframe[0].value[["group", "generalized"]].to_numpy().tolist()
    assert rows == [["decay", "3 of 5"], ["none", "0 of 2"]]


def test_a_click_on_a_pattern_shows_its_runs_alone(page, sweep):
    app = page("runs", sweep.uri)
    app.button_group(key="runs_pattern").set_value(["Grokking"]).run()
    assert set(app.dataframe[0].value["pattern"]) == {"Grokking"}


def test_columns_params_and_levels_are_chosen_and_stand_in_the_address(page, three):
    app = page("runs", three[0].uri, experiment="three")
    assert "params.lr" in app.dataframe[0].value
    app.button_group(key="runs_columns").set_value(["onset"]).run()
    app.multiselect(key="runs_metrics").set_value(["weights/norm"]).run()
    app.multiselect(key="runs_params").set_value([]).run()
    app.selectbox(key="runs_sort").set_value("onset").run()
    assert list(app.dataframe[0].value) == ["look", "run", "onset", "weights/norm · last"]
    assert app.query_params["runs_columns"] == "onset"
    assert app.query_params["runs_params"] == "-"
    assert "runs_statistics" not in app.query_params


def test_ticks_are_of_runs_and_not_of_rows(page, training):
    experiment = training.experiment("e")
    runs = [training.run(experiment, f"r{i}", [], status="RUNNING", age_s=-60 * i) for i in range(2)]
    app = ticked(page("runs", training.uri, experiment="e"), [runs[1]])
    assert app.session_state["runs_table"]["selection"]["rows"] == [0]
    training.run(experiment, "newest", [], status="RUNNING", age_s=-600)
    app = app.run()
    assert app.dataframe[0].value["run"].tolist() == ["newest", "r1", "r0"]
    assert app.session_state["runs_table"]["selection"]["rows"] == [1]
    app.button(key="runs_open").click().run()
    assert app.session_state["opened"] == ("run", [runs[1]])


def test_what_the_address_names_is_ticked(page, three):
    training, runs = three
    app = page("runs", training.uri, experiment="three", runs=runs[:2])
    assert "Compare 2 runs" in labels(app)
    app.button(key="runs_compare").click().run()
    assert app.session_state["opened"] == ("compare", runs[:2])


def test_a_tag_is_added_to_the_ticked_runs_and_removed_again(page, three):
    training, runs = three
    app = ticked(page("runs", training.uri, experiment="three"), runs[:2])
    app.text_input(key="runs_tag_name").set_value("keep").run()
    app.button(key="runs_tag_add").click().run()
    assert [tags(training, run).get("keep") for run in runs] == ["", "", None]
    assert app.dataframe[0].value["tags"].tolist()[1:] == [["keep"], ["keep"]]
    app.selectbox(key="runs_tag_gone").set_value("keep").run()
    app.button(key="runs_tag_remove").click().run()
    assert "keep" not in tags(training, runs[0])


def test_a_tag_of_mlflow_or_grokscope_is_refused_in_one_sentence(page, three):
    training, runs = three
    app = ticked(page("runs", training.uri, experiment="three"), runs[:1])
    app.text_input(key="runs_tag_name").set_value("grokscope.pattern").run()
    app.button(key="runs_tag_add").click().run()
    (error,) = app.error
    assert "belong to grokscope" in error.value.replace("\\", "")
    assert "grokscope.pattern" not in tags(training, runs[0])


def test_a_note_is_kept_as_mlflow_keeps_it(page, three):
    training, runs = three
    app = ticked(page("runs", training.uri, experiment="three"), runs[:1])
    app.text_area(key=f"runs_note_{runs[0]}").set_value("looks *odd*").run()
    app.button(key="runs_note_keep").click().run()
    assert tags(training, runs[0])[NOTE] == "looks *odd*"
    assert app.dataframe[0].value["note"].tolist()[-1] == "looks *odd*"


def test_an_archived_run_is_gone_until_that_is_undone(page, three):
    training, runs = three
    app = ticked(page("runs", training.uri, experiment="three"), [runs[0]])
    app.button(key="runs_archive").click().run()
    assert app.dataframe[0].value["run"].tolist() == ["r2", "r1"]
    assert training.client.get_run(runs[0]).info.lifecycle_stage == "deleted"
    app.button(key="runs_undo").click().run()
    assert app.dataframe[0].value["run"].tolist() == ["r2", "r1", "r0"]
    assert "Undo" not in labels(app)


def test_a_store_that_cannot_be_written_says_so(three):
    training, runs = three
    session = StoreSession(f"parquet:///{training.uri.rpartition('/')[0].removeprefix('sqlite:///')}")
    for problem in (session.archive(runs), session.restore(runs)):
        assert problem is not None
        assert "Import" in problem or "there are no .parquet files" in problem
