"""All points of one run, as they were logged."""

import polars as pl
import streamlit as st

from grokscope.dashboard.component.address import ONE_BY_ONE
from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import plain

_MOST_ROWS = 5_000


def raw_points_section(points: pl.DataFrame, *, of: str) -> None:
    """Draw a table of points, of all metrics or of those chosen, with files of them."""
    if points.is_empty():
        st.caption("No point of this run has been logged yet.")
        return
    names = points["metric"].unique().sort().to_list()
    chosen = st.multiselect(
        "Metrics", names, format_func=plain, key="run_points_of", placeholder="all", **ONE_BY_ONE
    )
    mine = points.filter(pl.col("metric").is_in(chosen)) if chosen else points
    time = pl.from_epoch("time_ms", time_unit="ms").alias("time")
    shown = mine.head(_MOST_ROWS).select("metric", "step", "value", time)
    st.dataframe(shown, hide_index=True, height=420, key="run_points_table", alt="Points of the run")
    note(phrases.cut(shown.height, mine.height, "points", rest="The files hold all."))
    offer_downloads({"points": mine.drop("run_id")}, key="run_points", of=of)
