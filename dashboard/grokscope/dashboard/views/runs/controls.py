"""What the reader of the page Runs chooses: rows, columns, their order; all of it stands in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

from grokscope.dashboard.component.address import ONE_BY_ONE, keep, recall_many, recall_one
from grokscope.dashboard.component.table import label_of_column
from grokscope.dashboard.state.data import Data, Snapshot, SnapshotSource
from grokscope.dashboard.state.narrowing import choices
from grokscope.dashboard.tables.runs.columns import COLUMNS, CURVE, FIRST, Shown
from grokscope.dashboard.tables.runs.details import (
    STATISTICS,
    first_params,
    level_column,
    param_column,
    param_labels,
)
from grokscope.dashboard.words.escaping import plain

_GROUPS = "groups"
_ROWS = ("runs", _GROUPS)
_JUDGED_BY, _NEWEST = "judged by", "newest"
_DOWN = "largest"
_WAYS = ("smallest", _DOWN)
_PICTURES = (CURVE, "tags")
_KEPT = "session"
_PATTERN = "runs_pattern"
_IN_ADDRESS = (
    "runs_rows", "runs_columns", "runs_params", "runs_metrics", "runs_statistics", "runs_curve", "runs_sort",
    "runs_sort_way",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the controls say.

    Attributes:
        is_of_groups: Whether rows are groups.
        patterns: What the rows' patterns are; empty for all.
        shown: Columns, and the order of rows.
    """

    is_of_groups: bool
    patterns: tuple[str, ...]
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What an experiment has: its metrics, the params that vary, and those of them that are shown first."""

    metrics: Sequence[str]
    params: Sequence[str]
    first_params: Sequence[str]


def controls(data: Data, runs: pl.DataFrame) -> Chosen:
    """Draw the controls above the table.

    Args:
        data: The experiment, all of whose metrics and params can be chosen.
        runs: Rows of ``overview.runs_table`` of the runs that are looked at.
    """
    recall_one("runs_rows", _ROWS)
    with st.container(horizontal=True, vertical_alignment="center", key="runs_controls"):
        rows = st.segmented_control(
            "A row is a",
            _ROWS,
            required=True,
            format_func=str.capitalize,
            key="runs_rows",
            label_visibility="collapsed",
            persist_state=_KEPT,
        )
        is_of_groups = rows == _GROUPS
        patterns = () if is_of_groups else _patterns(runs)
        st.space("stretch")
        with st.popover(
            "Columns", icon=":material/view_column:", disabled=is_of_groups, key="runs_columns_box"
        ):
            shown = _columns(_known(data.whole(), data.source))
    for key in _IN_ADDRESS:
        keep(key)
    return Chosen(is_of_groups=is_of_groups, patterns=patterns, shown=shown)


def _patterns(runs: pl.DataFrame) -> tuple[str, ...]:
    """Draw which patterns there are, each with its runs; a click shows these runs alone."""
    counts: dict[str, int] = dict(runs["pattern"].drop_nulls().value_counts(sort=True).iter_rows())
    if len(counts) <= 1:
        return ()
    recall_many(_PATTERN, list(counts), ())
    picked = st.pills(
        "Pattern",
        list(counts),
        selection_mode="multi",
        format_func=lambda word: f"{word} · {counts[word]:,}",
        key=_PATTERN,
        label_visibility="collapsed",
    )
    keep(_PATTERN)
    return tuple(picked or ())


def _columns(known: _Known) -> Shown:
    recall_many("runs_columns", COLUMNS, FIRST)
    columns = st.pills(
        "Columns",
        COLUMNS,
        selection_mode="multi",
        format_func=label_of_column,
        key="runs_columns",
        help="A column that applies to none of the runs stays away.",
        persist_state=_KEPT,
    )
    params = _params(known)
    metrics, statistics = _levels(known)
    curves = [_JUDGED_BY, *known.metrics]
    recall_one("runs_curve", curves)
    curve = st.selectbox(
        "Small pictures show", curves, format_func=_curve, key="runs_curve", persist_state=_KEPT
    )
    shown = Shown(
        columns=tuple(columns or ()),
        params=params,
        metrics=metrics,
        statistics=statistics,
        curve=None if curve == _JUDGED_BY else curve,
    )
    return _in_order(shown)


def _curve(name: str) -> str:
    return "the curve that each run is judged by" if name == _JUDGED_BY else plain(name)


def _params(known: _Known) -> tuple[str, ...]:
    labels = param_labels(known.params)
    recall_many("runs_params", known.params, known.first_params)
    chosen = st.multiselect(
        "Params",
        known.params,
        format_func=lambda name: labels.get(name, plain(name)),
        key="runs_params",
        placeholder="none" if known.params else "no param differs between these runs",
        help="Those that differ between the runs.",
        persist_state=_KEPT,
        **ONE_BY_ONE,
    )
    return tuple(chosen)


def _levels(known: _Known) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draw of which metrics which levels are columns."""
    recall_many("runs_metrics", known.metrics, ())
    metrics = st.multiselect(
        "Levels of metrics",
        known.metrics,
        format_func=plain,
        key="runs_metrics",
        placeholder="none",
        persist_state=_KEPT,
        **ONE_BY_ONE,
    )
    recall_many("runs_statistics", STATISTICS, ("last", "best"))
    picked = st.pills(
        "Which levels",
        STATISTICS,
        selection_mode="multi",
        key="runs_statistics",
        disabled=not metrics,
        help="best: the highest of a score, the lowest of a loss; none where no side is better.",
        persist_state=_KEPT,
    )
    return tuple(metrics), tuple(name for name in STATISTICS if name in (picked or ()))


def _in_order(shown: Shown) -> Shown:
    """Draw by what rows are sorted, and return what is shown with it."""
    names = _sortable(shown)
    recall_one("runs_sort", [_NEWEST, *names])
    recall_one("runs_sort_way", _WAYS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sort = st.selectbox(
            "Rows in the order of",
            [_NEWEST, *names],
            format_func=lambda name: names.get(str(name), "when they began, the newest first"),
            key="runs_sort",
            help="A click on a column's head sorts, too, as long as this page is open.",
            persist_state=_KEPT,
        )
        way = st.selectbox(
            "beginning with the",
            _WAYS,
            key="runs_sort_way",
            disabled=sort == _NEWEST,
            persist_state=_KEPT,
        )
    return replace(shown, sort=None if sort == _NEWEST else sort, descending=way == _DOWN)


def _sortable(shown: Shown) -> dict[str, str]:
    """Return the columns that rows can be sorted by, with what they are called."""
    levels = [level_column(metric, which) for metric in shown.metrics for which in shown.statistics]
    own = ("run", *(name for name in COLUMNS if name in shown.columns and name not in _PICTURES))
    return {
        **{name: label_of_column(name) for name in own},
        **{param_column(name): label for name, label in param_labels(shown.params).items()},
        **{name: plain(name) for name in levels},
    }


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.found})
def _known(snapshot: Snapshot, _source: SnapshotSource) -> _Known:
    return _Known(
        metrics=tuple(_source.metrics(snapshot.runs["run_id"].to_list())),
        params=tuple(choices(snapshot)),
        first_params=tuple(first_params(snapshot)),
    )
