"""The page of one run: a person's review of its dates, its layers, its arrays, its setup and its points."""

import math
from array import array

import polars as pl
import pytest
import streamlit as st

from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.layers import MOST_STEPS, layered_metrics, of_metrics
from grokscope.dashboard.words.escaping import escape
from grokscope.schemas.arrays import FOLDER, Axis, LoggedArray, array_file
from grokscope.store import ListedArtifacts, open_store
from grokscope.store.findings import shown_bytes

EVIL = "<img src=x onerror=alert(1)> :red[r]"
LAYERS = ("embed.weight", EVIL)


def logged(name, step, axes, values):
    shape = tuple(len(labels) if labels else length for _, labels, length in axes)
    return LoggedArray(
        name=name,
        step=step,
        time_ms=1000,
        precision="float64",
        shape=shape,
        axes=tuple(Axis(name=name, labels=labels) for name, labels, _ in axes),
        data=array("d", values).tobytes(),
    )


def arrays():
    for step in (0, 100, 2000):
        yield logged("layers/norm", step, [("parameter", LAYERS, 2)], [1.0, 2.0 + step])
        spectrum = [("matrix", LAYERS, 2), ("k", (), 3)]
        yield logged("layers/singular_values", step, spectrum, [3.0, 2.0, 1.0, 3.0, 2.0, math.nan])
        coordinates = [("token", (), 4), ("component", ("1", "2", "3"), 3)]
        yield logged("embedding/pca", step, coordinates, [float(i) for i in range(12)])
        yield logged("embedding/fourier", step, [("frequency", ("1", "2"), 2)], [step, 1.0])
        yield logged("my/cube", step, [("a", (), 1), ("b", (), 2), ("c", (), 1)], [1.0, 2.0])


@pytest.fixture(scope="module")
def store(new_training, tmp_path_factory, curves):
    """A run that groks, with layers, arrays, its code, and names that would like to be more."""
    folder = tmp_path_factory.mktemp("run page")
    training = new_training(folder / "mlflow.db")
    experiment = training.client.create_experiment("e", artifact_location=str(folder / "artifacts"))
    rows = curves(groks=True) + [
        (f"weights/norm/{layer}", float(i), step) for i, layer in enumerate("ab") for step in (0, 10, 2000)
    ]
    run = training.run(experiment, "groks", [*rows, ("system/gpu_0_power", 70.5, 3)], params={"lr": 0.1})
    (folder / "1.parquet").write_bytes(array_file(list(arrays())))
    training.client.log_artifact(run, str(folder / "1.parquet"), FOLDER)
    training.client.set_tag(run, "mlflow.source.git.commit", "0123abcd")
    training.client.set_tag(run, "team", EVIL)
    training.run_id, training.size = run, (folder / "1.parquet").stat().st_size
    return training


def section(page, store, name):
    app = page("run", store.uri, experiment="e")
    app.button_group(key="run_section").set_value(name).run()
    assert not app.exception
    return app


def drawn(app):
    return [chart.proto.alt for chart in app.get("vega_lite_chart")]


def date_of(store, field):
    return getattr(StoreSession(store.uri).snapshot("e").verdicts[store.run_id], field)


def key(app, subject, button):
    (found,) = [
        b.key for b in app.button if b.key.startswith(f"review_{subject}_") and b.key.endswith(button)
    ]
    return found


def test_a_date_is_confirmed_rejected_moved_noted_and_each_is_undone(page, store, texts):
    app = page("run", store.uri, experiment="e")
    app.text_input(key="review_name").set_value(EVIL).run()
    detected = date_of(store, "onset")
    app.button(key=key(app, "onset", "_confirm")).click().run()
    assert any(text.startswith("confirmed by ") and "<img" not in text for text in texts(app))
    assert date_of(store, "onset") == detected
    app.number_input(key=key(app, "onset", "_move_here").replace("move_here", "step")).set_value(321)
    app.button(key=key(app, "onset", "_move_here")).click().run()
    assert date_of(store, "onset").step == 321
    assert any(text.startswith(f"moved from {detected.step:,} by ") for text in texts(app))
    app.button(key=key(app, "onset", "_reject")).click().run()
    assert date_of(store, "onset") is None
    assert any(text.startswith("~~") for text in texts(app))
    app.text_area(key=key(app, "onset", "_keep").replace("keep", "text")).set_value("noise [x](y)")
    app.button(key=key(app, "onset", "_keep")).click().run()
    assert any(r"noise \[x\]\(y\)" in text for text in texts(app))
    for step in (None, 321, detected.step, detected.step):
        app.button(key=key(app, "onset", "_undo")).click().run()
        found = date_of(store, "onset")
        assert (None if found is None else found.step) == step
    assert not any(
        "_undo" in b.key and not b.disabled for b in app.button if b.key.startswith("review_onset")
    )


def test_an_event_that_was_missed_is_added_moved_and_taken_back(page, store):
    app = page("run", store.uri, experiment="e")
    app.selectbox(key="review_add_subject").set_value("slingshot")
    app.number_input(key="review_add_step").set_value(1500)
    app.button(key="review_add_it").click().run()
    events = [(e.kind.value, e.step, e.metric) for e in verdict(store).transitions]
    assert ("slingshot", 1500, "test/accuracy") in events
    app.number_input(key=key(app, "slingshot", "_move_here").replace("move_here", "step")).set_value(1600)
    app.button(key=key(app, "slingshot", "_move_here")).click().run()
    assert [e.step for e in verdict(store).transitions if e.kind == "slingshot"] == [1600]
    for left in ([1500], []):
        app.button(key=key(app, "slingshot", "_undo")).click().run()
        assert [e.step for e in verdict(store).transitions if e.kind == "slingshot"] == left


def verdict(store):
    return StoreSession(store.uri).snapshot("e").verdicts[store.run_id]


def test_the_pattern_and_a_note_on_the_run_are_a_persons_too(page, store, texts):
    app = page("run", store.uri, experiment="e")
    app.selectbox(key="review_pattern_value").set_value("memorization")
    app.button(key="review_pattern_set").click().run()
    assert verdict(store).pattern == "memorization"
    app.button(key="review_pattern_undo").click().run()
    assert verdict(store).pattern == "grokking"
    app.text_area(key="review_run_text").set_value("for the paper")
    app.button(key="review_run_keep").click().run()
    assert "for the paper" in texts(app)
    assert store.client.get_run(store.run_id).data.tags["mlflow.note.content"] == "for the paper"


def test_a_store_that_cannot_be_written_says_so(page, store, tmp_path, texts):
    session = StoreSession(store.uri)
    snapshot = session.snapshot("e")
    folder = tmp_path / "points"
    folder.mkdir()
    session.points([store.run_id]).drop("run_id").write_parquet(folder / "a.parquet")
    app = page("run", f"parquet:///{folder}", experiment="points")
    app.button(key=key(app, "onset", "_reject")).click().run()
    (error,) = app.error
    assert error.value.startswith("The review was not kept: no tags of ")
    assert "is a folder of points" in error.value
    assert snapshot.problem is None


def test_layers_are_heatmaps_of_scalars_and_of_arrays(page, store):
    app = section(page, store, "Layers")
    assert drawn(app) == [
        "weight norm of each layer over steps",
        "norm of each parameter of each layer over steps",
        "singular value 1 of each matrix of each layer over steps",
    ]
    app.slider(key="run_singular_value").set_value(3).run()
    assert drawn(app)[-1].startswith("singular value 3")
    assert all("onerror" not in text for text in drawn(app))


def test_one_slider_moves_all_snapshots(page, store, texts):
    app = section(page, store, "Snapshots")
    assert len(drawn(app)) == 4
    assert all(text.endswith("at step 2,000") for text in drawn(app))
    app.select_slider(key="run_snapshot_step").set_value(100).run()
    assert all(text.endswith("at step 100") for text in drawn(app))
    assert "**my\\/cube** has 3 axes; the data hold it." in texts(app)


def test_setup_shows_params_code_system_and_tags_and_links_only_a_server(page, store, texts):
    app = section(page, store, "Setup")
    said = texts(app)
    for title in ("Params", "Code", "System, at last", "Tags"):
        assert title in said
    assert "commit  **0123abcd**" in said
    assert "gpu\\_0\\_power  **70\\.5**" in said
    assert [code.value for code in app.code] == [store.run_id]
    assert not app.get("link_button")


def test_artifacts_are_listed_when_their_box_is_opened_and_never_before(page, store, texts, monkeypatch):
    asked = []
    artifacts = StoreSession.artifacts
    monkeypatch.setattr(StoreSession, "artifacts", lambda *given: asked.append(1) or artifacts(*given))
    app = section(page, store, "Setup")
    assert asked == []
    app.session_state["run_artifacts_box"] = True
    app.run()
    assert asked == [1]
    assert app.dataframe[-1].value.to_numpy().tolist() == [[f"{FOLDER}/1.parquet", shown_bytes(store.size)]]
    assert app.code[-1].value.endswith(f"{store.run_id}/artifacts")


def test_artifacts_that_cannot_be_listed_cost_one_sentence(page, store, texts, monkeypatch):
    st.cache_data.clear()  # a list is kept for a while
    why = "the bucket <b>did not answer</b> within 10 s."
    monkeypatch.setattr(StoreSession, "artifacts", lambda *_: ListedArtifacts(problem=why))
    app = section(page, store, "Setup")
    app.session_state["run_artifacts_box"] = True
    app.run()
    assert f"The artifacts cannot be listed now: {escape(why)}" in texts(app)
    assert "Params" in texts(app)


def test_a_run_of_a_server_is_linked_by_its_experiments_number_and_without_credentials(store):
    session = StoreSession("http://ann:pw@host:5000/mlflow/", opener=lambda _: open_store(store.uri))
    number = store.client.get_experiment_by_name("e").experiment_id
    assert session.mlflow_link("e", "a/b") == f"http://host:5000/mlflow/#/experiments/{number}/runs/a%2Fb"
    assert session.mlflow_link("none", "a") is None
    assert StoreSession(store.uri).mlflow_link("e", "a") is None


def test_points_are_a_table_of_what_was_logged(page, store):
    app = section(page, store, "Points")
    app.multiselect(key="run_points_of").set_value(["weights/norm/a"]).run()
    assert app.dataframe[-1].value["step"].tolist() == [0, 10, 2000]


def test_a_run_without_layers_and_arrays_says_how_to_get_them(page, training, texts):
    training.run(training.experiment("e"), "only", [("train/loss", 1.0, 0)])
    assert any(
        text.startswith("No measure of single layers") for text in texts(section(page, training, "Layers"))
    )
    assert any(text.startswith("No array was logged") for text in texts(section(page, training, "Snapshots")))


def test_a_heatmap_has_no_more_steps_than_can_be_seen(store):
    points = StoreSession(store.uri).points([store.run_id])
    (layers,) = layered_metrics(points["metric"].unique().to_list()).values()
    cells = of_metrics(points, layers)
    assert cells.select("layer", "step", "end").rows()[:3] == [
        ("a", 0, 10),
        ("a", 10, 2000),
        ("a", 2000, 2100),
    ]
    steps = range(MOST_STEPS * 3)
    long = pl.DataFrame({"metric": ["weights/norm/a"] * len(steps), "step": steps, "value": 1.0})
    assert of_metrics(long, layers)["step"].n_unique() == MOST_STEPS
