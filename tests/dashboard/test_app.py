from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from grokscope.dashboard import APP, STORE_VARIABLE, escape
from grokscope.dashboard.state.session import StoreSession

EVIL = "![b](http://evil.example/x.png) <img src=x onerror=alert(1)> :red[r] $x^2$"


@pytest.fixture
def app(monkeypatch):
    def started(uri, /, **query):
        monkeypatch.setenv(STORE_VARIABLE, uri)
        app = AppTest.from_file(APP, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return started


def test_the_bare_address_leads_to_the_live_page_of_the_newest_experiment(app, sweep):
    shown = app(sweep.uri)
    assert not shown.exception
    assert shown.title[0].value == "grokscope"
    assert shown.header[0].value == "Live"
    assert shown.query_params["experiment"] == "sweep"


def test_a_link_to_runs_that_are_not_there_says_so_and_shows_the_rest(app, sweep):
    shown = app(sweep.uri, experiment="sweep", runs="f" * 32)
    assert "The address names 1 run that is not in this experiment: left out." in [
        c.value for c in shown.caption
    ]
    assert "runs" not in shown.query_params


def test_an_address_cannot_name_another_store(app, sweep, training):
    training.run(training.experiment("secret"), "r", [])
    shown = app(sweep.uri, uri=training.uri, store=training.uri, **{STORE_VARIABLE: training.uri})
    assert shown.selectbox[0].options == ["sweep", "Default"]


def test_without_a_store_the_page_says_how_to_start(app):
    assert app("").error[0].value.startswith("No store is named: start the dashboard with `grokscope up`")


def test_picking_another_experiment_forgets_the_runs_of_the_first(app, sweep, training):
    run = training.run(training.experiment("first"), "r", [("train/loss", 1.0, 0)])
    training.experiment("second")
    shown = app(training.uri, experiment="first", runs=run)
    shown.selectbox[0].set_value("second").run()
    assert shown.query_params["experiment"] == "second"
    assert "runs" not in shown.query_params


def test_names_and_params_of_others_reach_the_page_only_escaped(app, training, page, texts):
    points = [("train/accuracy", 1.0, 0), ("test/accuracy", 0.0, 0)]
    run = training.run(
        training.experiment(EVIL),
        EVIL,
        points,
        params={"group": EVIL, "note": EVIL},
        status="RUNNING",
    )
    for view in ("live", "runs", "compare", "interventions", "run", "measures", "health"):
        said = "\n".join(texts(page(view, training.uri, experiment=EVIL, runs=[run])))
        assert said.replace(escape(EVIL), "").count("evil") == 0
        if view in {"live", "run"}:
            assert escape(EVIL) in said


def test_links_between_pages_carry_the_selection(app, sweep):
    run = StoreSession(sweep.uri).snapshot("sweep").runs["run_id"][0]
    shown = app(sweep.uri, experiment="sweep", runs=run)
    links = {link.proto.label: dict(parse_qsl(link.proto.query_string)) for link in shown.get("page_link")}
    queries = {label: query for label, query in links.items() if not label.startswith("**")}
    assert links["**decay 0**"]["experiment"] == "sweep"  # of an event, to its run
    assert queries == {
        title: {"experiment": "sweep", "runs": run}
        for title in ("Live", "Runs", "Compare", "Interventions", "Run", "Measures", "Health")
    }
