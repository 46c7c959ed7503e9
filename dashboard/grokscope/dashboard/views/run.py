"""One run: what it did, in words and in curves that share their steps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard import words
from grokscope.dashboard.charts import StepAxis, panel_chart
from grokscope.dashboard.charts.palette import Colouring, Palette
from grokscope.dashboard.data import Data, Snapshot
from grokscope.dashboard.escaping import escape, plain
from grokscope.dashboard.panels import Panel, panels_of
from grokscope.dashboard.phases import phase_of
from grokscope.dashboard.tables import status_of
from grokscope.dashboard.views.drawing import axis_of, drawn_marks, drawn_points
from grokscope.dashboard.views.frame import palette, refreshing
from grokscope.dashboard.views.showing import show
from grokscope.schemas import AXES, Verdict
from grokscope.schemas import axis_of as axis_of_param


def render(data: Data) -> None:
    """Draw the selected run, or the newest."""
    refreshing(data, lambda snapshot: _page(data, snapshot))


def _page(data: Data, snapshot: Snapshot) -> None:
    run_id = _picked(data, snapshot)
    verdict = snapshot.verdicts.get(run_id)
    _verdict(verdict)
    _state(snapshot.runs.row(by_predicate=pl.col("run_id") == run_id, named=True))
    curves, facts = st.columns([3, 1], gap="large")
    with curves:
        _panels(data, snapshot, run_id)
    with facts:
        _evidence(verdict)
        _params(data.source.params(run_id))


def _state(run: Mapping[str, Any]) -> None:
    of = f" of {words.steps(run['planned'])}" if run["planned"] else ""
    seed = "" if run["seed"] is None else f" · seed {run['seed']}"
    st.caption(f"{status_of(run)} · step {words.steps(run['step'])}{of} · {escape(run['group'])}{seed}")


def _picked(data: Data, snapshot: Snapshot) -> str:
    labels: dict[str, str] = dict(snapshot.runs.select("run_id", "label").iter_rows())
    ids = list(labels)
    first = data.selection.runs[0] if data.selection.runs else ids[0]
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(first),
        format_func=labels.__getitem__,
        key=f"run_picker_{first}",
        label_visibility="collapsed",
        width=420,
    )
    if chosen != first:
        data.open_view("run", [chosen])
    return chosen


def _verdict(verdict: Verdict | None) -> None:
    if verdict is None:
        st.write("No curve of this run has been logged yet.")
        return
    word = (
        phase_of(verdict).value.capitalize() if verdict.in_progress else words.PATTERN_WORDS[verdict.pattern]
    )
    st.markdown(f"**{word}.** {escape(words.sentence(verdict), limit=400)}")


def _panels(data: Data, snapshot: Snapshot, run_id: str) -> None:
    colours = palette()
    axis = axis_of(snapshot, run_ids=[run_id])
    raw = data.source.points([run_id])
    points = drawn_points(raw, snapshot, axis)
    marks = drawn_marks(snapshot, raw, train="train/accuracy", test="test/accuracy", run_ids=[run_id])
    own = colours.of(snapshot.groups())[snapshot.runs.filter(pl.col("run_id") == run_id)["group"][0]]
    panels = panels_of(points["metric"].unique().to_list())
    with st.container(gap="xsmall", key="run_panels"):
        for panel in panels:
            labelled = replace(axis, labels=panel is panels[-1])
            _panel(panel, points, marks, axis=labelled, own=own)
    st.caption("shaded: 95 % intervals · dotted: memorized · full: onset · dashed: generalized")
    with st.expander("Data behind these charts"):
        st.dataframe(points.select("metric", "step", "value"), hide_index=True, key="run_data")


def _panel(panel: Panel, points: pl.DataFrame, marks: pl.DataFrame, *, axis: StepAxis, own: str) -> None:
    colours = palette()
    series = pl.col("metric").replace_strict(panel.series, return_dtype=pl.String())
    mine = points.filter(pl.col("metric").is_in(list(panel.series))).with_columns(series.alias("series"))
    colouring = Colouring(field="series", colours=_series_colours(panel, colours, own), palette=colours)
    title = plain(panel.title)
    show(
        panel_chart,
        mine,
        marks,
        key=f"run_{panel.key}",
        text=f"{title} over steps",
        title=title,
        axis=axis,
        colouring=colouring,
    )


def _series_colours(panel: Panel, colours: Palette, own: str) -> dict[str, str]:
    """Return the group's own colour for the first curve, grey for training, other colours for the rest."""
    names = [name for name in panel.series.values() if name != "train"]
    others = [own, *(colour for colour in colours.series if colour != own)]
    return {name: others[i % len(others)] for i, name in enumerate(names)} | {"train": colours.muted}


def _evidence(verdict: Verdict | None) -> None:
    if verdict is None:
        return
    st.subheader("Dates", anchor=False)
    dates = {
        "memorized": verdict.memorized,
        "onset": verdict.onset,
        "midpoint": verdict.midpoint,
        "generalized": verdict.generalized,
    }
    st.table({"step [95 %]": {name: words.dated(date) for name, date in dates.items()}})
    found = [
        f"- {escape(name)}: {escape(what)}" for t in verdict.transitions for name, what in t.evidence.items()
    ]
    missing = [f"- {escape(what)}" for what in verdict.missing]
    if found or missing:
        st.subheader("Evidence", anchor=False)
        st.markdown("\n".join([*found, *missing]))
    st.caption(escape(f"{verdict.detector}, definition {verdict.definition}"))


def _params(params: dict[str, str]) -> None:
    if not params:
        return
    st.subheader("Params", anchor=False)
    with st.container(gap="xsmall", key="run_params"):
        for prefix in AXES.values():
            _pairs(
                prefix.replace(".", " · "),
                {k.removeprefix(prefix + "."): v for k, v in params.items() if axis_of_param(k) == prefix},
            )
        _pairs("other", {k: v for k, v in params.items() if axis_of_param(k) is None})


def _pairs(title: str, values: dict[str, str]) -> None:
    if values:
        st.caption(title)
        st.markdown("  \n".join(f"{escape(k)}  **{escape(v)}**" for k, v in values.items()))
