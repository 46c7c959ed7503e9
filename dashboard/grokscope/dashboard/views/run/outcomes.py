"""What each held-out curve of one run did, where there are several."""

import polars as pl
import streamlit as st

from grokscope.dashboard.component.table import NOTHING, PATTERNS_SAID, ROW_HEIGHT
from grokscope.dashboard.words.dates import DATES, date_of
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.patterns import headline, headline_of
from grokscope.dashboard.words.phrases import level
from grokscope.schemas import Verdict

_DATES = [name for name in DATES if name != "memorized"]
_TITLES = {"curve": "Curve", "pattern": "Pattern", "level": "In the end", "best": "At best"}


def outcomes(verdict: Verdict) -> None:
    """Draw a row a curve, the one that the run is judged by first; nothing of one curve alone."""
    if len(verdict.outcomes) <= 1:
        return
    config = st.column_config
    st.dataframe(
        outcome_rows(verdict),
        key="run_outcomes",
        hide_index=True,
        column_config={
            **{name: config.TextColumn(title) for name, title in _TITLES.items()},
            "pattern": config.TextColumn("Pattern", help=PATTERNS_SAID),
            **{
                name: config.NumberColumn(name.capitalize(), format="localized", help=DATES[name].sentence)
                for name in _DATES
            },
        },
        row_height=ROW_HEIGHT,
        height="content",
        placeholder=NOTHING,
        alt="What each held-out curve did",
    )
    st.caption("The run is judged by the first row.")


def outcome_rows(verdict: Verdict) -> pl.DataFrame:
    """Return ``curve, pattern``, the dates as steps, ``level, best`` of each held-out curve."""
    rows = [
        (
            plain(outcome.metric),
            headline_of(verdict) if outcome is verdict.outcomes[0] else headline(outcome.pattern),
            *(None if (date := date_of(outcome, name)) is None else date.step for name in _DATES),
            level(outcome.level),
            level(outcome.best),
        )
        for outcome in verdict.outcomes
    ]
    schema = {
        "curve": pl.String(),
        "pattern": pl.String(),
        **dict.fromkeys(_DATES, pl.Int64()),
        "level": pl.String(),
        "best": pl.String(),
    }
    return pl.DataFrame(rows, schema=pl.Schema(schema), orient="row")
