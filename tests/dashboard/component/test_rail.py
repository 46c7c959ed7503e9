import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from streamlit.testing.v1 import AppTest

from grokscope.dashboard import APP, STORE_VARIABLE
from grokscope.dashboard.charts import LIGHT
from grokscope.dashboard.charts.elements.swatch import swatch
from grokscope.dashboard.component.chart_data import colours_of
from grokscope.dashboard.component.rail.groups import group_rows
from grokscope.dashboard.component.rail.narrowing import Narrowing
from grokscope.dashboard.component.rail.views import kept
from grokscope.dashboard.component.registration import RAIL_GROUPS
from grokscope.dashboard.state.narrowing import grouped
from grokscope.dashboard.state.saved.views import MOST_VIEWS, View, view_tag
from grokscope.dashboard.state.selection import Selection, group_key
from grokscope.dashboard.state.session import StoreSession


@pytest.fixture
def app(monkeypatch, sweep):
    """The app on the sweep's store: ``app(where="...")``."""

    def started(**query):
        monkeypatch.setenv(STORE_VARIABLE, sweep.uri)
        app = AppTest.from_file(APP, default_timeout=60)
        for key, value in {"experiment": "sweep", **query}.items():
            app.query_params[key] = value
        shown = app.run()
        assert not shown.exception
        return shown

    return started


def groups_of(app):
    """Return what the rail says of the runs, and the groups that it lists."""
    said = next(caption.value for caption in app.sidebar.caption if "tick to show" in caption.value)
    return said.partition(" · tick")[0], [row["name"] for row in rows_of(app)]


def is_list(element):
    return element.proto.component_name == RAIL_GROUPS


def rows_of(app):
    """Return what the list of groups is given."""
    return [
        row
        for one in app.sidebar.get("bidi_component")
        if is_list(one)
        for row in json.loads(one.proto.json)["rows"]
    ]


def finished_of(app):
    """Return the runs in the page's table."""
    return set(app.main.dataframe[0].value["run"])


def test_a_query_leaves_the_runs_that_it_asks_for_on_the_page_and_stands_in_the_address(app):
    shown = app()
    assert groups_of(shown) == ("7 runs · 2 groups", ["decay", "none"])
    shown.text_input(key="rail_where").set_value("seed = 0 and group = none").run()
    assert groups_of(shown) == ("1 of 7 runs · 1 group", ["none"])
    assert finished_of(shown) == {"none 0"}
    assert shown.query_params["where"] == "seed = 0 and group = none"


def test_a_query_that_cannot_be_read_is_told_with_how_it_can_go_on_and_leaves_all_runs(app):
    shown = app(where="seed = 0 and (patt")
    assert groups_of(shown)[0] == "7 runs · 2 groups"
    assert any(caption.value.endswith("All runs are shown.") for caption in shown.caption)
    shown.button(key="rail_go_on_0").click().run()
    assert shown.text_input(key="rail_where").value.strip() == "seed = 0 and (pattern"


def test_a_query_that_no_run_meets_is_not_taken_for_an_empty_experiment(app):
    shown = app(where="seed = 77")
    assert [info.value for info in shown.info] == [
        "None of the 7 runs is asked for: change the search at the left, or tick other groups."
    ]


def test_an_address_says_how_runs_are_grouped_and_which_groups_are_shown(app):
    shown = app(by="seed", only=group_key("seed 1"))
    assert shown.multiselect(key="rail_by").value == ["seed"]
    assert groups_of(shown)[1] == ["seed 0", "seed 1", "seed 2", "seed 3", "seed 4"]
    assert finished_of(shown) == {"decay 1", "none 1"}
    shown.multiselect(key="rail_by").set_value([]).run()
    assert "by" not in shown.query_params
    assert "only" not in shown.query_params
    assert groups_of(shown) == ("7 runs · 2 groups", ["decay", "none"])


def test_each_group_has_the_picture_of_its_line_and_says_how_many_of_its_runs_generalized(sweep):
    found = grouped(StoreSession(sweep.uri).snapshot("sweep"), None)
    colours = colours_of(found, LIGHT)
    rows = group_rows(found, colours)
    assert rows["group"].to_list() == ["decay", "none"]
    assert rows["runs"].to_list() == ["3 / 5", "0 / 2"]
    assert colours.colours["decay"] in unquote(rows["look"][0])


def test_a_dashed_group_has_a_dashed_picture():
    assert "stroke-dasharray='7 3'" in unquote(swatch("#123456", (7, 3)))


def test_without_its_script_the_list_still_hides_and_shows_groups_and_the_address_says_so(app, monkeypatch):
    monkeypatch.setattr("grokscope.dashboard.component.rail.groups.is_registered", lambda: False)
    decay, none = group_key("decay"), group_key("none")
    shown = app()
    assert shown.multiselect(key="rail_shown").value == [decay, none]
    shown.multiselect(key="rail_shown").set_value([none]).run()
    assert shown.query_params["hide"] == decay
    assert finished_of(shown) == {"none 0", "none 1"}
    shown.multiselect(key="rail_shown").set_value([decay, none]).run()
    assert "hide" not in shown.query_params


def test_the_list_says_what_is_shown_alone_what_is_the_baseline_and_which_runs_there_are(app):
    decay, none = group_key("decay"), group_key("none")
    rows = rows_of(app(only=none, baseline=none))
    assert [row["shown"] for row in rows] == [False, True]
    assert [row["alone"] for row in rows] == [False, True]
    assert [row["baseline"] for row in rows] == [False, True]
    assert [row["key"] for row in rows] == [decay, none]
    assert [label for label, _ in rows[1]["runs"]] == ["none 0", "none 1"]
    [there] = [one for one in app(baseline=none).sidebar.get("bidi_component") if is_list(one)]
    assert "baseline=" in json.loads(there.proto.json)["run"]


def inside(app, key):
    """Open a popover of the rail."""
    app.session_state[key] = True
    return app.run()


def acted(*told):
    """Return the address after what a browser tells was done on a page that shows two groups."""

    def page(told):
        import streamlit as st  # noqa: PLC0415 - the page is a script of its own

        from grokscope.dashboard.component.rail.following import write  # noqa: PLC0415
        from grokscope.dashboard.component.rail.groups import act  # noqa: PLC0415
        from grokscope.dashboard.state.selection import Selection  # noqa: PLC0415

        write(Selection(experiments=("e",)))
        for one in told:
            act(one)
        st.session_state["address"] = {key: st.query_params[key] for key in st.query_params}

    shown = AppTest.from_function(page, args=(told,)).run()
    assert not shown.exception
    return shown.session_state["address"]


def test_ticks_hold_in_whatever_order_and_how_often_they_are_told():
    a, b = group_key("a"), group_key("b")
    assert acted({"how": "ticked", "groups": {a: False}}) == {"experiment": "e", "hide": a}
    both = {"how": "ticked", "groups": {a: False, b: False}}
    assert acted({"how": "ticked", "groups": {a: False}}, both)["hide"] == f"{a},{b}"
    assert acted(both, both, {"how": "ticked", "groups": {a: True}})["hide"] == b


def test_a_tick_that_was_not_heard_of_yet_goes_along_with_what_is_done_next():
    a, b = group_key("a"), group_key("b")
    told = acted({"how": "compared_with", "of": b, "groups": {a: False}})
    assert (told["hide"], told["baseline"]) == (a, b)
    assert acted({"how": "alone", "of": b, "groups": {a: False}}) == {"experiment": "e", "only": b}


def test_a_group_is_shown_alone_and_compared_with():
    key = group_key("a")
    assert acted({"how": "alone", "of": key})["only"] == key
    assert "only" not in acted({"how": "alone", "of": key}, {"how": "alone", "of": key})
    assert acted({"how": "compared_with", "of": key})["baseline"] == key


@pytest.mark.parametrize(
    "told", [None, "alone", {}, {"how": "alone"}, {"how": "alone", "of": 3}, {"how": "ticked", "groups": [1]}]
)
def test_what_no_list_tells_changes_nothing(told):
    assert acted(told) == {"experiment": "e"}


def test_charts_are_split_by_a_param_that_tells_runs_apart_and_by_no_other(app):
    shown = app(split="group")
    assert shown.selectbox(key="rail_split").value == "group"
    shown.selectbox(key="rail_split").set_value("seed").run()
    assert shown.query_params["split"] == "seed"
    other = app(split="no such param")
    assert "split" not in other.query_params
    assert any(caption.value.startswith("The address splits charts by a param") for caption in other.caption)


def test_every_page_shows_several_experiments_and_the_address_keeps_them(monkeypatch, training, curves, page):
    for name, groks in (("first, a", True), ("second", False)):
        training.run(training.experiment(name), "run", curves(groks=groks), params={"lr": "0.1", "seed": 0})
    monkeypatch.setenv(STORE_VARIABLE, training.uri)
    shown = AppTest.from_file(APP, default_timeout=60)
    shown.query_params["experiment"] = "first, a"
    shown.run()
    shown.multiselect(key="rail_more").set_value(["second"]).run()
    assert shown.query_params["experiment"] == ["first, a", "second"]
    assert groups_of(shown) == ("2 runs · 2 groups", ["first, a", "second"])
    for view in ("live", "runs", "compare", "interventions", "run", "measures", "health"):
        page(view, training.uri, experiment=("first, a", "second"))
    linked = AppTest.from_file(APP, default_timeout=60)
    linked.query_params["experiment"] = ["first, a", "second"]
    assert groups_of(linked.run()) == groups_of(shown)
    shown.multiselect(key="rail_experiments").set_value(["second"]).run()
    assert shown.query_params["experiment"] == "second"
    assert shown.selectbox(key="rail_experiment").value == "second"


def test_a_view_is_saved_opened_renamed_deleted_and_brought_back(monkeypatch, training, curves):
    training.run(training.experiment("e"), "run", curves(groks=True), params={"seed": 0})
    monkeypatch.setenv(STORE_VARIABLE, training.uri)
    shown = AppTest.from_file(APP, default_timeout=60)
    shown.query_params.update({"experiment": "e", "where": "seed = 0"})
    shown.run()
    inside(shown, "views_box").text_input(key="views_name").set_value("Seed *0*")
    save = next(button for button in shown.sidebar.button if button.label == "Save view")
    save.click().run()
    assert names_of(shown) == ["Seed \\*0\\*"]
    shown.text_input(key="rail_where").set_value("").run()
    inside(shown, "views_box").button(key="views_0").click().run()
    assert shown.query_params["where"] == "seed = 0"
    inside(shown, "views_box").button(key="views_0_rename").click().run()
    inside(shown, "views_box").text_input(key="views_0_to").set_value("zero").run()
    assert names_of(shown) == ["zero"]
    inside(shown, "views_box").button(key="views_0_delete").click().run()
    assert names_of(shown) == []
    inside(shown, "views_box").button(key="views_undo").click().run()
    assert names_of(shown) == ["zero"]


def test_no_view_is_kept_that_would_not_be_listed(training):
    training.experiment("e")
    session = StoreSession(training.uri)
    tags = [view_tag(View(name=f"view {n}", page="runs", query={})) for n in range(MOST_VIEWS)]
    assert session.set_experiment_tags("e", {key: text for tag in tags for key, text in tag.items()}) is None
    more, renamed = (View(name=name, page="runs", query={}) for name in ("more", "view 0"))
    assert kept(session, "e", more).startswith(f"There are {MOST_VIEWS} views of this experiment already")
    assert kept(session, "e", more, instead_of=renamed) is None
    assert kept(session, "e", renamed).startswith(f"There are {MOST_VIEWS} views")
    assert kept(session, "e", more) == (
        "There is a view named 'more' already. Delete it first, or choose another name."
    )


def names_of(app):
    return [
        button.label for button in inside(app, "views_box").sidebar.button if str(button.key) == "views_0"
    ]


def test_what_is_wrong_with_the_store_is_said_of_runs_that_were_asked_for_before(sweep):
    source = StoreSession(sweep.uri)
    asked = Narrowing(source=source, selection=Selection(experiments=("sweep",), where="seed = 0"))
    snapshot = source.snapshot("sweep")
    assert asked(snapshot).problem is None
    gone = asked(replace(snapshot, problem="nobody answers", notice="slow"))
    assert (gone.problem, gone.notice) == ("nobody answers", "slow")
    assert gone.runs.equals(asked(snapshot).runs)
    assert asked(snapshot).problem is None
