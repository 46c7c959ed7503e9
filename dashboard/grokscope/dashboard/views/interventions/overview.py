"""The answer, the table of groups, their Kaplan–Meier curves and what each run spent."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grokscope.dashboard.charts.costs import costs_chart
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.survival import survival_chart
from grokscope.dashboard.component.chart import note, show
from grokscope.dashboard.component.chart_data import colours_of, said_of_grey, said_of_steps
from grokscope.dashboard.component.cost_section import said_groups
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state.data import Data, Snapshot
from grokscope.dashboard.tables.costs import said_of_others
from grokscope.dashboard.tables.interventions.answer import said_of
from grokscope.dashboard.tables.interventions.groups import (
    FEW_MEANS,
    LEAST_FINISHED,
    MOST_GROUPS,
    MOST_MEANS,
    Groups,
    settings_of,
    shown_groups,
)
from grokscope.dashboard.tables.interventions.reaching import count_unreadable
from grokscope.dashboard.tables.interventions.variables import unlike
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.dashboard.views.interventions.computed import Asked, compared, rows_of, settings
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.dashboard.words.short_names import short_names
from grokscope.interventions.amounts import amount, scale
from grokscope.interventions.survival.by_group import survival_of_groups

MOST_CURVES = 8
_MOST_NAMED = 3
_KEY = (
    "● a run that is there, its interval shaded · ▷ one that is not, as far as it was trained · "
    "bar: median of all runs (Kaplan–Meier)"
)
_SURVIVAL = (
    "Share of runs not there yet (Kaplan–Meier), its exact 95 % band; | a run that ended without it. Under "
    "the axis: runs still on their way. Where a band is wide, too few runs are left to tell."
)


def draw_overview(data: Data, asked: Asked, *, answer: DeltaGenerator) -> Groups:
    """Draw the first fold; return the groups compared.

    Args:
        data: Where to read.
        asked: What is asked for.
        answer: Where the answer goes: above the controls.
    """
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, data.source)
    groups = compared(asked, data.source)
    remedy = settings(asked.snapshot).of_enough(LEAST_FINISHED)
    said = said_of(rows, groups, goal=asked.goal, unit=asked.unit, remedy=remedy)
    with answer:
        st.markdown(said.headline)
        note(" ".join([*said.caveats, *_of_runs(asked, rows)]) or None)
    factor, symbol = scale(_largest(rows), asked.unit.symbol)
    table = shown_groups(groups, factor=factor)
    _table(table.head(MOST_GROUPS), groups, asked=asked, symbol=symbol)
    note(f"Medians and means in {symbol}. Point at a column's title for what it is.")
    note(phrases.cut(min(MOST_GROUPS, table.height), table.height, "groups", rest="The data hold all."))
    specs = _charts(asked, rows, groups)
    frames = {"groups": table, "runs": rows.drop("run_id")}
    offer_downloads(frames, key="interventions", specs=specs)
    return groups


def _largest(rows: pl.DataFrame) -> float:
    return float(str(rows["spent"].max() or 1.0))


def _of_runs(asked: Asked, rows: pl.DataFrame) -> list[str]:
    """Return which runs are not compared, and why."""
    runs: list[str] = rows["run_id"].to_list()
    others = unlike(settings(asked.snapshot).frame, settings_of(rows))
    told = [said_of_others(asked.snapshot, runs), _of_unlike(others)]
    unread = count_unreadable(asked.snapshot, rows)
    if unread:
        why = "no verdict that tells when" if asked.goal.target is None else "no evaluation of the metric"
        told.append(f"{phrases.counted(unread, 'run')} left out: {why}, or nothing logged to count by.")
    if asked.unit is STEPS:
        told.append(said_of_steps(asked.snapshot, runs))
    return [one for one in told if one]


def _of_unlike(others: Sequence[str]) -> str | None:
    if not others:
        return None
    names = escape(", ".join(others[:_MOST_NAMED]), limit=120)
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return (
        f"Runs of one group differ in {names}{more}, too, and not alike in all groups, so that may be "
        "what the groups differ by. Group by it as well."
    )


def _table(table: pl.DataFrame, groups: Groups, *, asked: Asked, symbol: str) -> None:
    few = [name for name in ("diverged", "lost", "training") if table[name].sum() == 0]
    if (table["least p"].drop_nulls() <= _DECIDED).all():
        few.append("least p")
    names = short_names(table["group"].to_list(), most=_LETTERS)
    st.dataframe(
        table.drop(few).with_columns(pl.Series("group", names)),
        key="interventions_groups",
        hide_index=True,
        column_config=_columns(groups, asked, symbol),
        row_height=ROW_HEIGHT,
        height="content" if table.height <= _TALL else _TALL * ROW_HEIGHT,
        placeholder=NOTHING,
        alt="What the runs of each group spend until they are there, the cheapest first",
    )


_TALL = 12
_LETTERS = 20
_DECIDED = 0.05
_OPEN = "an open end is not bounded by so few runs"
_95 = f"95 % interval, exact: of few runs it covers more often; {_OPEN}"
_95_OF_RATIOS = (
    "95 % interval, if the costs of one group are a multiple of the other's; of more than 50 runs in both, "
    f"by a normal approximation; {_OPEN}"
)


def _columns(groups: Groups, asked: Asked, symbol: str) -> dict[str, Any]:
    until = amount(groups.budget, asked.unit.symbol)
    counted = {
        "group": st.column_config.TextColumn("Group", width=150),
        "runs": _number("n", "Runs, those that are not there counted in", width=36),
        "reached": _number("There", "Runs that are there", width=48),
        "share": _number("By budget", f"Runs that are there by {until}", "%.0f %%", width=66),
        "share 95 %": _interval("In per cent; exact (Clopper–Pearson)"),
    }
    return {**counted, **_of_costs(symbol, until), **_of_contrasts(groups), **_COUNTS}


def _of_costs(symbol: str, until: str) -> dict[str, Any]:
    median = f"In {symbol}: half of all runs need at most this (Kaplan–Meier)"
    mean = f"In {symbol}: what a run costs if each is stopped at {until} (RMST)"
    few = f"{_95}. Of more than {MOST_MEANS} groups the {FEW_MEANS} cheapest have one"
    return {
        "median": _number("Median", median, "%.3g", width=66),
        "median 95 %": _interval(f"{_95}. None below six runs"),
        "mean": _number("Mean", mean, "%.3g", width=66),
        "mean 95 %": _interval(few),
    }


def _of_contrasts(groups: Groups) -> dict[str, Any]:
    base = "the cheapest group" if groups.baseline is None else groups.baseline
    ratio = f"How many times cheaper than {base}; below 1 it is dearer"
    p = "That both cost the same (permutation), for all comparisons (Holm)"
    least = "The smallest that so many runs can give; above .05 all is undecided"
    return {
        "speed-up": _number("Speed-up", ratio, "%.3g×", width=66),
        "speed-up 95 %": _interval(_95_OF_RATIOS),
        "p": _number("p", p, "%.2g", width=46),
        "least p": _number("Least p", least, "%.2g", width=56),
    }


def _number(title: str, told: str, form: str | None = None, *, width: int | None = None) -> Any:
    return st.column_config.NumberColumn(title, format=form, help=told, width=width or "small")


def _interval(told: str) -> Any:
    return st.column_config.TextColumn("95 %", help=told, width=84)


_COUNTS = {
    "diverged": _number("Diverged", "Counted as never there"),
    "lost": _number("Lost", "Were there and are not any more"),
    "training": _number("Training", "Counted as not there yet"),
}


def _charts(asked: Asked, rows: pl.DataFrame, groups: Groups) -> list[dict[str, Any]]:
    left, right = st.columns(2, gap="medium")
    with left:
        survival = _survival(asked, settings_of(rows), groups)
    with right:
        return [*survival, _strips(asked, rows, groups)]


def _survival(asked: Asked, rows: pl.DataFrame, groups: Groups) -> list[dict[str, Any]]:
    order: list[str] = groups.table["group"].to_list()
    kept = order[:MOST_CURVES]
    if groups.baseline is not None and groups.baseline not in kept:
        kept = [*kept[:-1], groups.baseline]
    curves, at_risk = survival_of_groups(rows.filter(pl.col("group").is_in(kept)))
    if curves.filter(pl.col("cost") > 0).is_empty():
        return []
    spec = show(
        survival_chart,
        curves,
        at_risk,
        key="interventions_survival",
        text=f"Share of the runs of each group that are not there yet, over {asked.unit.name}",
        colouring=looks_of(asked.snapshot, kept),
        unit=asked.unit.name,
    )
    note(_SURVIVAL)
    note(phrases.cut(len(kept), len(order), "groups", rest="Tick groups in the rail to see others."))
    return [spec]


def _strips(asked: Asked, rows: pl.DataFrame, groups: Groups) -> dict[str, Any]:
    apart = rows.filter(~pl.col("group").is_in(groups.table["group"].implode()))
    others = apart.group_by("group").agg(
        pl.len().cast(pl.Int64()).alias("runs"), pl.col("reached").sum().cast(pl.Int64())
    )
    table = pl.concat([groups.table, others], how="diagonal")
    shown = table.head(MOST_GROUPS)
    costs = rows.filter(pl.col("group").is_in(shown["group"].implode())).select(
        "run", "group", "reached", pl.col("at").alias("cost"), "low", pl.col("high").fill_null(pl.col("at"))
    )
    spec = show(
        costs_chart,
        costs,
        said_groups(shown, asked.unit),
        key="interventions_costs",
        text=f"{asked.unit.name} that each run spent until it was there, by group, the cheapest first",
        colouring=colours_of(asked.snapshot, palette()),
        symbol=asked.unit.name,
    )
    note(_KEY)
    note(said_of_grey(colours_of(asked.snapshot, palette()), "groups"))
    return spec


def looks_of(snapshot: Snapshot, groups: list[str]) -> Colouring:
    """Return the looks of some groups, as they are on all pages."""
    whole = colours_of(snapshot, palette())
    return Colouring(
        field="group",
        colours={name: whole.colours.get(name, whole.palette.muted) for name in groups},
        palette=whole.palette,
        dashes={name: whole.dashes.get(name, (1, 0)) for name in groups},
    )


def said_escaped(sentences: list[str]) -> str | None:
    """Return sentences that hold names of params and groups as one text of markdown."""
    return " ".join(escape(one, limit=600) for one in sentences) or None
