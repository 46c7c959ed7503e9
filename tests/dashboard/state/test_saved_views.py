"""Views under a name: what is kept, and what of a stranger's tags is not taken."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.state.saved.views import View, ViewError, view_key, view_tag, views_in

PAGES = ("runs", "compare")
KEPT = View(name="wide ones, é", page="compare", query={"where": ["width > 64"], "experiment": ["a", "b, c"]})


def tag(**changed):
    record = {"name": KEPT.name, "page": KEPT.page, "query": KEPT.query, **changed}
    return {view_key(str(record["name"])): json.dumps(record)}


def test_a_view_comes_back_as_it_was_kept():
    assert views_in({**view_tag(KEPT), "mlflow.note.content": "x"}, PAGES) == [KEPT]


@pytest.mark.parametrize(
    "changed",
    [
        {"page": "no such page"},
        {"page": "http://evil.example"},
        {"query": ["where"]},
        {"query": {"where": "width > 64"}},
        {"query": {"where": [1]}},
        {"query": {"__proto__": ["x"]}},
        {"query": {"where": ["\ud800"]}},
        {"query": {"embed": ["true"]}},
        {"query": {"embed_options": ["dark_theme"]}},
        {"query": {f"a{n}": ["x"] for n in range(100)}},
        {"query": {"runs": ["x"] * 101}},
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\u202eb"},
        {"name": 3},
    ],
)
def test_what_is_not_well_formed_is_passed_over(changed):
    assert views_in(tag(**changed), PAGES) == []


def test_a_view_under_the_key_of_another_is_none():
    assert views_in({view_key("other"): view_tag(KEPT)[view_key(KEPT.name)]}, PAGES) == []


@given(st.text(max_size=200))
def test_no_text_of_a_tag_is_an_error(text):
    assert views_in({view_key("a"): text}, PAGES) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\u202eb"])
def test_a_view_needs_a_name_that_can_be_read(name):
    with pytest.raises(ViewError, match="A view's name has 1 to 60 letters"):
        view_tag(View(name=name, page="runs", query={}))


def test_what_pages_have_no_parameter_for_is_left_out_and_what_would_not_be_read_again_is_refused():
    odd = {**KEPT.query, "Utm-Source": ["x"], "embed": ["true"]}
    assert views_in(view_tag(replace(KEPT, query=odd)), PAGES) == [KEPT]
    with pytest.raises(ViewError, match="more parameters than a view keeps"):
        view_tag(replace(KEPT, query={f"a{n}": ["x"] for n in range(100)}))


def test_an_address_that_mlflow_cannot_keep_is_refused_with_what_to_do():
    with pytest.raises(ViewError, match=r"too long to be kept: 5,\d+ of 5,000 characters. Tick fewer runs"):
        view_tag(View(name="many", page="runs", query={"runs": ["a" * 5000]}))
