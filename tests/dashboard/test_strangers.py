"""What strangers write into a store stops no page: extreme numbers, names that look alike, broken tags."""

import json
import math

import pytest
from streamlit.testing.v1 import AppTest

from grokscope.schemas.verdicts.review_tags import RECORD

HUGE = 1e308
LAST = 2**62 - 1
COLLAPSE = {"subject": "collapse", "decision": "added", "date": [5, 5, 5]}
REVIEWS = [
    {**COLLAPSE, "metric": "a", "reviewer": "**x**" * 9},
    {**COLLAPSE, "metric": "a\u202e", "reviewer": "r\ud800", "note": "n\udfff", "time": "\ud800"},
    {**COLLAPSE, "metric": "\ud800"},
    {"subject": "collapse", "decision": "rejected", "detected": [7, 7, 7], "metric": "a"},
    {"subject": "collapse", "decision": "rejected", "detected": [7, 7, 7], "metric": "a\u200b"},
    {"subject": "divergence", "decision": "added", "date": [LAST, 0, LAST], "metric": "test/accuracy"},
    {"subject": "onset", "decision": "moved", "date": [5, 9, 2]},
]
LIKE = "x" * 400


@pytest.fixture(scope="module")
def strangers(new_training, tmp_path_factory, curves):
    """A store with three runs of hostile names, params, tags and values, and how they are called."""
    training = new_training(tmp_path_factory.mktemp("strangers") / "mlflow.db")
    experiment = training.experiment("sweep")
    odd = {
        "weird": [HUGE, -HUGE, math.nan, math.inf, -math.inf],
        "loud": [5e-324, HUGE, 1.7e308],
        "nothing": [math.nan] * 3,
        "__proto__": [1, 2, 3],
        "progress/tokens": [-5, -4, -30],
        "progress/seconds": [9, 5, 0],
        "progress/flops": [HUGE, HUGE, -HUGE],
    }
    points = curves(groks=True)
    points += [(key, value, step) for key, values in odd.items() for step, value in enumerate(values)]
    runs = [
        training.run(experiment, name, points, params={"lr": lr, "like": LIKE + lr, "__proto__": lr})
        for name, lr in (("\u202egnp.exe", "nan"), ("__proto__", "1e999"), ("<b>", "b\u202e"))
    ]
    training.client.set_tag(runs[0], RECORD, json.dumps({"reviews": REVIEWS, "replaced": [["\ud800", None]]}))
    training.client.set_tag(runs[1], RECORD, '{"reviews": {"a": 1}, "replaced": "abc"}')
    training.client.set_tag(runs[2], RECORD, "[" * 3000)
    training.client.set_tag(runs[2], "grokscope.review.onset_step", "9" * 4900)
    said = json.dumps({"name": "\ud800", "canonical": "\ud800"})
    training.client.set_experiment_tag(experiment, "grokscope.alias.0", said)
    return training, runs


def _compared(source):
    from importlib import import_module  # noqa: PLC0415 - AppTest runs this text as a script of its own

    from grokscope.dashboard.state.data import Data  # noqa: PLC0415
    from grokscope.dashboard.state.selection import Selection  # noqa: PLC0415

    data = Data(source=source, selection=Selection(experiments=("sweep",)), open_view=print)
    import_module("grokscope.dashboard.views.compare.page").render(data)


@pytest.mark.parametrize("view", ["live", "runs", "interventions", "health"])
def test_pages_of_all_runs_are_drawn(page, strangers, view):
    assert not page(view, strangers[0].uri).exception


def test_each_run_is_drawn_with_every_review_that_can_be_read(page, strangers, texts):
    training, runs = strangers
    for run in runs:
        said = "\n".join(texts(page("run", training.uri, runs=[run])))
        assert "\ud800" not in said
        assert "\u202e" not in said
    assert len(page("run", training.uri, runs=runs[:1]).get("expander")) > 0


@pytest.mark.parametrize("split", [None, "lr", "like", "__proto__"])
def test_charts_by_levels_that_look_alike_are_drawn(page, strangers, split):
    assert not page("compare", strangers[0].uri, split=split).exception


@pytest.mark.parametrize(
    ("over", "metric"),
    [
        ("tokens", ""),
        ("seconds", ""),
        ("FLOPs", ""),
        ("a metric", "weird"),
        ("a metric", "loud"),
        ("a metric", "nothing"),
        ("\0", "\u202e"),
    ],
)
def test_comparisons_along_what_is_no_count_are_drawn(sessions, strangers, over, metric):
    app = AppTest.from_function(_compared, args=(sessions(strangers[0].uri),), default_timeout=60)
    app.query_params["compare_over"], app.query_params["compare_along"] = over, metric
    app.query_params["compare_charts"] = ["weird", "loud", "nothing"]
    app.run()
    assert not app.exception, app.exception
    assert app.multiselect(key="compare_charts").value == ["weird", "loud", "nothing"]
