"""What each layer of one run did: heatmaps of layer by step."""

from collections.abc import Iterator

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.run.layers import layers_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.tables.layers import (
    layered_metrics,
    of_arrays,
    of_metrics,
    of_singular_values,
    title_of,
)
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import Verdict
from grokscope.store import StoredArrays

_MOST = 12
_SPECTRUM = "layers/singular_values"
_NOTHING = (
    "No measure of single layers was logged. Ask the tracker for measures of layers, such as "
    "`weights/stable_rank`, or log an array with an axis `layer`."
)


def layers_section(
    points: pl.DataFrame, arrays: StoredArrays, verdict: Verdict | None, axis: StepAxis
) -> None:
    """Draw a heatmap a measure that the run has of several layers; say so where it has none."""
    found = list(_measures(points, arrays.frame))
    if not found:
        st.caption(_NOTHING)
        return
    dates = [] if verdict is None else [verdict.memorized, verdict.onset, verdict.generalized]
    marks = pl.DataFrame({"step": [date.step for date in dates if date is not None]}, {"step": pl.Int64})
    specs = [
        show(
            layers_chart,
            cells.with_columns(layer=_plain(cells["layer"])),
            marks,
            key=f"run_layers_{place}",
            text=f"{plain(title)} of each layer over steps",
            title=plain(title),
            axis=axis,
            palette=palette(),
        )
        for place, (title, cells) in enumerate(found[:_MOST])
    ]
    st.caption("a row a layer · darker: larger · dotted lines: memorized, onset, completion")
    note(phrases.cut(min(len(found), _MOST), len(found), "measures", rest="The data hold all."))
    frames = {plain(title): cells.drop("end") for title, cells in found}
    offer_downloads(frames, key="run_layers", specs=specs)


def _measures(points: pl.DataFrame, arrays: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for quantity, layers in layered_metrics(points["metric"].unique().sort().to_list()).items():
        yield title_of(quantity), of_metrics(points, layers)
    yield from of_arrays(arrays).items()
    spectra = arrays.filter(pl.col("name") == _SPECTRUM)
    if spectra.height:
        last = max(int(shape[1]) for shape in spectra["shape"].to_list()) - 1
        place = 0
        if last > 0:
            place = (
                st.slider(
                    "Which singular value of each matrix", 1, last + 1, 1, key="run_singular_value", width=300
                )
                - 1
            )
        yield f"singular value {place + 1} of each matrix", of_singular_values(arrays, place)


def _plain(names: pl.Series) -> pl.Series:
    """Return names as they may be shown; two that look alike stay two rows."""
    shown: dict[str, str] = {}
    for name in names.unique(maintain_order=True).to_list():
        text = plain(name)
        shown[name] = text if text not in shown.values() else f"{text} ({len(shown) + 1})"
    return names.replace_strict(shown, return_dtype=pl.String())
