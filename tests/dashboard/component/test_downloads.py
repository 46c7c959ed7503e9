"""Data and figures of a chart are made once they are asked for, and the page stands still meanwhile."""

import pytest
import streamlit as st

from grokscope.dashboard.component.page_shell import EVERY_S, POLL_S

FORMS = {"CSV", "Parquet", "SVG", "PDF", "PNG", "HTML", "ZIP"}


@pytest.fixture
def pauses(monkeypatch):
    """How long pages wait until they draw themselves anew; what they ask Streamlit for, in order."""
    asked, fragment = [], st.fragment
    monkeypatch.setattr(
        st, "fragment", lambda *, run_every: asked.append(run_every) or fragment(run_every=run_every)
    )
    return asked


def test_what_can_be_taken_along_is_made_when_it_is_opened_and_the_page_stands_still_then(
    page, sweep, pauses, texts
):
    app = page("compare", sweep.uri)
    assert (app.get("download_button"), pauses[-1]) == ([], EVERY_S)
    app.session_state["compare_behind"] = True
    app.run()
    assert not app.exception
    assert {button.proto.label for button in app.get("download_button")} == FORMS
    assert pauses[-1] is None
    assert any(text.startswith("This page stands still while data are open") for text in texts(app))
    app.session_state["compare_behind"] = False
    app.run()
    assert not any("stands still" in text for text in texts(app))
    assert (app.get("download_button"), pauses[-1]) == ([], EVERY_S)


def test_a_section_that_is_on_the_page_no_more_does_not_keep_it_from_refreshing(page, sweep, pauses):
    app = page("compare", sweep.uri)
    app.session_state["another_behind"] = True
    app.run()
    assert not app.exception
    assert ("another_behind" in app.session_state, pauses[-1]) == (False, EVERY_S)


def test_a_page_on_which_nothing_is_awaited_any_more_stops_drawing_itself_anew(page, training, pauses):
    experiment = training.experiment("over")
    training.run(experiment, "a", [("train/loss", 1.0, 0)], age_s=600)
    page("compare", training.uri, experiment="over")
    assert pauses[-2:] == [None, POLL_S]  # the page itself, and what asks for news without drawing


@pytest.mark.parametrize("view", ["runs", "compare"])
def test_a_report_of_the_selection_is_offered_where_it_is_opened(page, sweep, view):
    app = page(view, sweep.uri)
    app.session_state[f"{view}_report_behind"] = True
    app.run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["HTML", "MD"]


def test_a_size_that_no_figure_has_is_told_beside_the_figure(page, sweep, texts):
    app = page("compare", sweep.uri)
    app.session_state["compare_behind"] = True
    app.session_state["compare_figure_size"] = "7x[7](http://a.b)"
    app.run()
    assert not app.exception
    (said,) = [text for text in texts(app) if "is no size of a figure" in text]
    assert "](http" not in said
