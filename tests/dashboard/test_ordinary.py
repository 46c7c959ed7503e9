"""Ordinary trainings of different loops in one experiment: pages say of each what ``detect`` says of it."""

import json
from dataclasses import replace

import pytest

from grokscope.dashboard.component.linked_charts.packing import unpacked
from grokscope.dashboard.state.session import StoreSession
from grokscope.transitions import detect


@pytest.fixture(scope="module")
def session(ordinary):
    return StoreSession(ordinary.uri)


@pytest.fixture(scope="module")
def snapshot(session):
    found = session.snapshot("ordinary")
    while found.unjudged:
        found = session.snapshot("ordinary")
    return found


@pytest.fixture(scope="module")
def run_ids(snapshot):
    return dict(snapshot.runs.select("name", "run_id").iter_rows())


def charts(app, begin):
    """Return the specifications of the charts whose text begins so."""
    drawn = [chart.proto for chart in app.get("vega_lite_chart")]
    return [json.loads(chart.spec) for chart in drawn if chart.alt.startswith(begin)]


def domains(spec):
    return [
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in spec["layer"]
        if "scale" in layer["encoding"].get("y", {})
    ]


def test_the_app_gives_each_run_the_verdict_that_detect_gives(snapshot, run_ids, logged):
    for verdict in detect(logged):
        ours = snapshot.verdicts[run_ids[verdict.run]]
        events = [replace(event, run_id=verdict.run) for event in ours.transitions]
        assert replace(ours, run=verdict.run, transitions=tuple(events)) == verdict


def test_each_run_is_drawn_by_the_pair_that_it_is_judged_by(snapshot, run_ids):
    pairs = {name: snapshot.pairs[run] for name, run in run_ids.items()}
    assert {name: (pair.train, pair.test) for name, pair in pairs.items()} == {
        "digits_noisy_labels": ("train/accuracy", "acc/val_clean"),
        "digits_per_cent": ("train/accuracy", "test/accuracy"),
        "digits_stopped_early": ("train/loss", "val/accuracy"),
        "help_transformer": ("train/loss", "val/loss"),
        "sines_diverged": ("train/loss", "val/mae"),
    }


def test_runs_names_what_each_run_is_judged_by_with_its_last_level_as_a_share(page, ordinary):
    table = page("runs", ordinary.uri, experiment="ordinary").dataframe[0].value.set_index("run")
    assert table["judged by"].to_dict()["digits_noisy_labels"] == "acc/val_clean"
    assert table["final"]["digits_per_cent"] == pytest.approx(0.9473, abs=1e-4)
    assert table["final"]["help_transformer"] == pytest.approx(5.577, abs=1e-3)
    assert all(0 <= value <= 1 for line in table["held-out curve"] for value in line)


def test_live_draws_a_chart_for_each_quantity_and_says_that_per_cent_are_shares(page, ordinary, texts):
    app = page("live", ordinary.uri, experiment="ordinary")
    drawn = {name: charts(app, f"Training and held-out {name}") for name in ("accuracy", "loss", "mae")}
    assert {name: len(specs) for name, specs in drawn.items()} == {"accuracy": 1, "loss": 1, "mae": 1}
    assert domains(drawn["accuracy"][0])[0] == [-0.03, 1.05]
    assert domains(drawn["loss"][0])[0][1] > 5
    said = texts(app)
    assert "What runs are judged by, over steps" in said
    assert "1 run was logged in per cent; the values here and in the data are shares of 1." in said


def test_compare_opens_on_what_most_runs_are_judged_by_and_says_of_how_many(page, ordinary, texts):
    app = page("compare", ordinary.uri, experiment="ordinary")
    assert app.multiselect(key="compare_charts").value[0] == "held-out/accuracy"
    [element] = app.get("bidi_component")
    first = unpacked(element.proto.bytes)["charts"][0]
    assert first["title"] == "held-out/accuracy · 3 of 5 runs"
    assert domains(first["spec"])[0] == [-0.03, 1.05]
    said = "held-out/…: of each run the held-out curve that it is judged by"
    assert any(text.startswith(said) for text in texts(app))


def test_points_are_given_as_shares_and_as_their_run_names_them(session, snapshot, run_ids):
    run = run_ids["digits_per_cent"]
    assert snapshot.logged is not None
    points = session.points([run], ["train/accuracy", "test/accuracy"])
    assert set(points["metric"]) == {"train/accuracy", "test/accuracy"}
    assert points["value"].max() == 1.0
    noisy = session.points([run_ids["digits_noisy_labels"]], ["acc/val_clean"])
    assert noisy.height == session.points([run_ids["digits_noisy_labels"]], ["acc/val_noisy"]).height > 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sines_diverged", "shaded: 95 % intervals · finely dotted: divergence"),
        ("help_transformer", "shaded: 95 % intervals · finely dotted: best level before overfitting"),
        ("digits_per_cent", "shaded: 95 % intervals · dotted: memorized · dashed: completion"),
    ],
)
def test_a_run_is_drawn_with_the_meaning_of_those_marks_that_it_has(
    page, ordinary, run_ids, texts, name, said
):
    app = page("run", ordinary.uri, experiment="ordinary", runs=[run_ids[name]])
    (key,) = [text for text in texts(app) if text.startswith("shaded")]
    assert key == said


def test_runs_without_groups_are_told_as_all_runs_and_have_no_table_of_groups(page, ordinary, texts):
    live = page("live", ordinary.uri, experiment="ordinary")
    titles = {json.loads(chart.proto.spec)["title"]["text"] for chart in live.get("vega_lite_chart")[:3]}
    assert titles == {"accuracy", "loss", "mae"}
    compare = page("compare", ordinary.uri, experiment="ordinary")
    assert not any("no group" in text for text in (*texts(live), *texts(compare)))
    assert len(compare.dataframe) == 0


def test_the_data_of_a_run_begin_with_the_curve_that_it_is_judged_by(page, ordinary, run_ids):
    app = page("run", ordinary.uri, experiment="ordinary", runs=[run_ids["digits_noisy_labels"]])
    app.session_state["run_curves_behind"] = True
    app.run()
    metrics = list(dict.fromkeys(app.dataframe[-1].value["metric"]))
    assert "acc/val_clean" in metrics[:3]
    assert metrics != sorted(metrics)


def test_definitions_of_grokking_are_asked_only_where_there_is_a_delay(page, ordinary, run_ids, texts):
    said = texts(page("run", ordinary.uri, experiment="ordinary", runs=[run_ids["digits_per_cent"]]))
    assert "By definition" not in said
    why = "No grokking step by any definition: the curves improved together, so there is no delay to date."
    assert why in said
