"""A card for each run in training: where it stands, its curves, how far it is, and what measuring costs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from grokscope.dashboard.charts import StepAxis, quantity_of
from grokscope.dashboard.charts.elements.quantity import is_in_percent
from grokscope.dashboard.charts.sparkline import sparkline
from grokscope.dashboard.component.chart import note
from grokscope.dashboard.component.chart_data import axis_of, colours_of, drawn_points
from grokscope.dashboard.component.links import run_link
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data, LiveStatus, Snapshot
from grokscope.dashboard.tables.live.pace import pace_of
from grokscope.dashboard.tables.live.readings import (
    SECONDS,
    SHARE,
    last_readings,
    said_of_cost,
    said_of_system,
    system_keys,
)
from grokscope.dashboard.views.live.chips import chip_of
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape

_MOST, _POINTS = 12, 160
_HEIGHT = 272
_SHOWN = "live_cards"


def cards(data: Data, snapshot: Snapshot, main: pl.DataFrame, live: LiveStatus) -> None:
    """Draw the cards of the runs that train, and of those that have ended since the page was opened.

    Args:
        data: Where readings are asked for, and what links lead to.
        snapshot: What is looked at.
        main: Rows of ``main_curves``.
        live: Where the runs stand.
    """
    alive = pl.concat([phases.active(snapshot.runs), phases.silent(snapshot.runs)])["run_id"].to_list()
    shown = _kept(snapshot, alive)
    if not shown:
        return
    readings = _readings(data, shown)
    of_run = {run["run_id"]: run for run in snapshot.runs.iter_rows(named=True)}
    with st.grid(3, min_column_width=330, border=True, row_height=_HEIGHT, key="live_training") as grid:
        for run_id in shown:
            # Of its own: a row right in a cell of fixed height takes what is left of that.
            with grid.cell(), st.container(gap="xsmall"):
                _card(data, snapshot, of_run[run_id], main.filter(pl.col("run_id") == run_id), live)
                note(_said_beside(readings.get(run_id, {})))
    drawn = len(set(alive) & set(shown))
    note(phrases.cut(drawn, len(alive), "runs in training", rest="The page Runs lists all."))


def places(shown: Sequence[str], alive: Collection[str], known: Collection[str], *, most: int) -> list[str]:
    """Return which runs have a card: each keeps its place, and a new one takes that of one that has ended.

    Args:
        shown: Who had one so far, in order.
        alive: Who trains.
        known: Who can have one.
        most: How many there can be.

    >>> places(["a", "b"], ["b", "c"], ["a", "b", "c"], most=12)
    ['c', 'b']
    >>> places(["a", "b"], ["b"], ["a", "b"], most=12)
    ['a', 'b']
    """
    kept = [run for run in shown if run in known]
    free = [place for place, run in enumerate(kept) if run not in alive]
    for run in (run for run in alive if run not in kept):
        if free:
            kept[free.pop(0)] = run
        elif len(kept) < most:
            kept.append(run)
    return kept


def _kept(snapshot: Snapshot, alive: Sequence[str]) -> list[str]:
    """Return ``places``, remembered from one drawing to the next."""
    before: tuple[str | None, list[str]] = st.session_state.get(_SHOWN, (None, []))
    shown = before[1] if before[0] == snapshot.experiment else []
    kept = places(shown, alive, snapshot.runs["run_id"].to_list(), most=_MOST)
    st.session_state[_SHOWN] = (snapshot.experiment, kept)
    return kept


def _readings(data: Data, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    logged = data.source.metrics(run_ids)
    keys = [*(key for key in (SHARE, SECONDS) if key in logged), *system_keys(logged)]
    return last_readings(data.source.points(run_ids, keys)) if keys else {}


def _said_beside(readings: Mapping[str, float]) -> str | None:
    return " · ".join(filter(None, [said_of_cost(readings), said_of_system(readings)])) or None


def _card(
    data: Data, snapshot: Snapshot, run: Mapping[str, Any], main: pl.DataFrame, live: LiveStatus
) -> None:
    run_id: str = run["run_id"]
    chip = chip_of(
        phases.phase_of(snapshot.verdicts.get(run_id)),
        live.states.get(run_id),
        is_silent=run["silent"],
        has_ended=run["status"] not in ("RUNNING", "SCHEDULED"),
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        run_link(data, run_id, run["label"])
        st.badge(chip.word, color=chip.colour, help=chip.help)
    _curves(snapshot, run, main)
    st.caption(_said_of_pace(snapshot, run))
    st.caption(" · ".join(_values(main)) or "No curve yet that is read as a score.")


def _said_of_pace(snapshot: Snapshot, run: Mapping[str, Any]) -> str:
    pace = pace_of(
        snapshot.curves.filter(pl.col("run_id") == run["run_id"]),
        step=run["step"],
        planned=run["planned"],
        now_ms=snapshot.taken_ms,
    )
    if run["status"] == "RUNNING" and not run["silent"]:
        return pace.said()
    of = f" of {phrases.steps(run['planned'])}" if run["planned"] else ""
    at = phrases.clock(run["last_ms"] if run["silent"] else run["end_ms"], now_ms=snapshot.taken_ms)
    when = f"trainer silent since {at}" if run["silent"] else f"{str(run['status']).lower()} {at}"
    return f"step {phrases.steps(run['step'])}{of} · {when}"


def _curves(snapshot: Snapshot, run: Mapping[str, Any], main: pl.DataFrame) -> None:
    colours = palette()
    axis: StepAxis = axis_of(snapshot, run_ids=[run["run_id"]])
    verdict = snapshot.verdicts.get(run["run_id"])
    onset = None if verdict is None or verdict.onset is None else (verdict.onset.low, verdict.onset.high)
    metric = str(main["metric"][0]) if main.height else ""
    picture = sparkline(
        drawn_points(main, snapshot, axis, limit=_POINTS).sort("step"),
        axis=axis,
        quantity=quantity_of(metric, main["value"].filter(main["value"].is_finite())),
        colour=colours_of(snapshot, colours).colours.get(run["group"], colours.muted),
        onset=onset,
    )
    dated = f", onset between steps {onset[0]:,} and {onset[1]:,}" if onset else ""
    st.image(picture, width="stretch", alt=f"Held-out curve, full, and training curve, dashed{dated}")


def _values(main: pl.DataFrame) -> Iterable[str]:
    """Return where the main curves of a run stand, each by its own name."""
    finite = main.filter(pl.col("value").is_finite()).sort("step")
    last = finite.group_by("role", "metric", "quantity").agg(pl.col("value").last())
    for metric, quantity, value in (
        last.sort("role", descending=True).select("metric", "quantity", "value").iter_rows()
    ):
        said = phrases.percent(value) if is_in_percent(quantity) else phrases.level(value)
        yield f"{escape(metric)} {said}"


def key_of_cards() -> str:
    """Return what the lines and the band of the pictures are."""
    return "full line: held-out · dashed: training · grey band: 95 % interval of the onset"
