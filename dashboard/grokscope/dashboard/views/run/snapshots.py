"""Arrays of one run at one step: one slider for all of them."""

from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.run.snapshots import bars_chart, lines_chart, points_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.tables.layers import title_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.schemas.arrays import cells
from grokscope.store import StoredArrays

_MOST = 12
_TWO = 2
_ON_AXES = "component"
"""The last axis of an array whose rows are points."""

_NOTHING = (
    "No array was logged: spectra, embeddings on their principal axes, singular values. Array instruments of "
    "the tracker and `Tracker.log_array` log them."
)


def snapshots_section(arrays: StoredArrays) -> None:
    """Draw every array at the step that one slider chooses; each at its newest step until then."""
    for sentence in arrays.left_out[:3]:
        st.warning(escape(sentence, limit=400), icon=":material/warning:")
    if arrays.frame.is_empty():
        st.caption(_NOTHING)
        return
    steps: list[int] = arrays.frame["step"].unique().sort().to_list()
    at = steps[-1]
    if len(steps) > 1:
        at = st.select_slider("Step", steps, steps[-1], format_func=phrases.steps, key="run_snapshot_step")
    names = arrays.frame["name"].unique().sort().to_list()
    with st.grid(2, min_column_width=340, key="run_snapshots", gap="medium") as grid:
        for place, name in enumerate(names[:_MOST]):
            with grid.cell():
                _snapshot(arrays.frame.filter(pl.col("name") == name), at, key=f"run_snapshot_{place}")
    note(phrases.cut(min(len(names), _MOST), len(names), "arrays", rest="The data hold all."))
    offer_downloads({"arrays": cells(arrays.frame).drop("run_id")}, key="run_arrays")


def _snapshot(own: pl.DataFrame, at: int, *, key: str) -> None:
    """Draw one array; of one that was not logged by then, say when it begins."""
    title = plain(title_of(own["name"][0]))
    now = own.filter(pl.col("step") <= at).tail(1)
    if now.is_empty():
        st.caption(f"**{escape(title)}** begins at step {phrases.steps(own['step'].min())}.")  # pyright: ignore[reportArgumentType]
        return
    step, axes = int(now["step"][0]), now["axes"][0].to_list()
    drawn: dict[str, Any] = {
        "key": key,
        "text": f"{title} at step {step:,}",
        "title": {"text": title, "subtitle": f"step {step:,} · {plain(' × '.join(axes))}"},
        "palette": palette(),
    }
    whole = cells(own).filter(pl.col("value").is_finite())
    mine = whole.filter(pl.col("step") == step)
    if whole.is_empty() or len(axes) > _TWO:
        why = "holds no finite value" if whole.is_empty() else f"has {len(axes)} axes; the data hold it"
        st.caption(f"**{escape(title)}** {why}.")
    elif len(axes) == _TWO and axes[1] == _ON_AXES and whole["column"].max() != 0:
        _points(whole, mine, drawn)
    else:
        low, high = (float(str(end)) for end in (whole["value"].min(), whole["value"].max()))
        shown = mine.with_columns(
            row_label=_short(mine["row_label"]), column_label=_short(mine["column_label"])
        )
        show(lines_chart if len(axes) == _TWO else bars_chart, shown, low=low, high=high, **drawn)


def _points(whole: pl.DataFrame, mine: pl.DataFrame, drawn: dict[str, Any]) -> None:
    ends: list[tuple[float, float]] = []
    for column in (0, 1):
        values = whole.filter(pl.col("column") == column)["value"]
        ends.append((float(str(values.min() or 0.0)), float(str(values.max() or 0.0))))
    x, y = (mine.filter(pl.col("column") == column).select("row", "value") for column in (0, 1))
    named = mine.unique("row").select("row", "row_label")
    points = named.join(x.rename({"value": "x"}), on="row").join(y.rename({"value": "y"}), on="row")
    shown = points.sort("row").with_columns(row_label=_short(points.sort("row")["row_label"]))
    show(points_chart, shown.drop("row"), x=ends[0], y=ends[1], **drawn)


def _short(names: pl.Series) -> pl.Series:
    texts = {name: plain(name, limit=40) for name in names.unique().to_list()}
    return names.replace_strict(texts, return_dtype=pl.String()) if texts else names
