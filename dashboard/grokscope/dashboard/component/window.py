"""A range of steps: what lies in it is read and drawn at the full resolution that a chart has."""

from dataclasses import replace

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.words import phrases

_FACTORS = (1, 2, 5)


def windowed(axis: StepAxis, *, key: str) -> StepAxis:
    """Draw the control; return the axis of the range that is chosen."""
    options = edges(int(axis.last))
    if len(options) < 3:  # noqa: PLR2004 - nothing to choose between
        return axis
    low, high = st.select_slider(
        "Range of steps",
        options,
        value=(options[0], options[-1]),
        format_func=phrases.steps,
        key=key,
        width=240,
    )
    is_whole = low == options[0] and high == options[-1]
    return axis if is_whole or low >= high else replace(axis, first=low, last=high, is_cut=True)


def edges(last: int) -> list[int]:
    """Return the steps that a range can begin and end at: 1, 2 and 5 in each decade.

    >>> edges(25)
    [0, 1, 2, 5, 10, 20, 25]
    """
    found = [f * 10**e for e in range(len(str(last))) for f in _FACTORS if f * 10**e < last]
    return [0, *found, last]


def within(frame: pl.DataFrame, axis: StepAxis) -> pl.DataFrame:
    """Return the rows whose ``step`` is on the axis; beyond its end too, where it is not cut."""
    return frame.filter(pl.col("step").is_between(axis.first, axis.last)) if axis.is_cut else frame
