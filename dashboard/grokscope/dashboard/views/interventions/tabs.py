"""The tabs of the page, each with a sentence on what it shows and when it cannot be told."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from grokscope.dashboard.charts.interventions.coordinates import coordinates_chart
from grokscope.dashboard.charts.interventions.front import front_chart
from grokscope.dashboard.charts.interventions.profile import profile_chart
from grokscope.dashboard.charts.interventions.trend import trend_chart
from grokscope.dashboard.charts.interventions.tuning import tuning_chart
from grokscope.dashboard.component.chart import IN_ADDRESS, note, show
from grokscope.dashboard.component.downloads import offer_downloads
from grokscope.dashboard.component.table import NOTHING, ROW_HEIGHT
from grokscope.dashboard.component.theme import palette
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Data
from grokscope.dashboard.tables.interventions.coordinates import coordinates_of
from grokscope.dashboard.tables.interventions.forecasts import Outlook
from grokscope.dashboard.tables.interventions.fronts import front_of_groups
from grokscope.dashboard.tables.interventions.groups import Groups, settings_of
from grokscope.dashboard.tables.interventions.levels import with_whole_runs
from grokscope.dashboard.tables.interventions.noise import Gain, gain_of_costs, gain_of_levels
from grokscope.dashboard.tables.interventions.profiles import profile_of_groups, workload_options
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.dashboard.views.interventions.computed import (
    Asked,
    forecasts,
    levels,
    repeats,
    rows_of,
    settings,
    trend,
    worth,
)
from grokscope.dashboard.views.interventions.overview import MOST_CURVES, looks_of, said_escaped
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape, plain
from grokscope.interventions.amounts import amount
from grokscope.interventions.contrasts.tuning import tuning_curves

_MARKS = {True: "✓", False: "✗", None: "?"}


def draw_trend(data: Data, asked: Asked, groups: Groups) -> None:
    """Draw the cost against one variable of numbers."""
    names = settings(asked.snapshot).numbers
    if not names or groups.budget <= 0:
        note("No param of numbers varies among these runs: nothing to draw a cost against.")
        return
    x = st.selectbox("Param", names, key="interventions_trend", width=240, bind=IN_ADDRESS) or names[0]
    found = trend(asked, x, groups.budget, data.source)
    st.markdown(escape(found.sentence, limit=600))
    spec = show(
        trend_chart,
        found.dots,
        found.curve,
        key="interventions_trend_chart",
        text=f"{asked.unit.name} until a run is there over {x}",
        name=x,
        unit=asked.unit.name,
        palette=palette(),
    )
    note(
        "● there · △ not there, as far as it was trained · line: the power law, unfinished runs counted in, "
        "with its 95 % band; there is none where a premise fails."
    )
    note("  \n".join(f"{_MARKS[holds]} {escape(said, limit=300)}" for holds, said in found.premises))
    note(said_escaped([found.half_way, *found.caveats]))
    offer_downloads({"runs": found.dots, "law": found.curve}, key="interventions_trend", specs=[spec])


def draw_front(data: Data, asked: Asked, groups: Groups) -> None:
    """Draw compute against quality."""
    metric, is_upward, own = levels(asked, data.source)
    kind, shown = _compute(asked, own)
    shown = shown.filter(pl.col("group").is_in(groups.table["group"].implode()))
    found = front_of_groups(shown, is_upward=is_upward)
    st.markdown(escape(found.sentence, limit=600))
    if found.groups.height < 2:  # noqa: PLR2004 - nothing to draw
        return
    spec = show(
        front_chart,
        shown.filter("is_over").select("run", "group", "compute", "best").drop_nulls(),
        found.groups,
        key="interventions_front",
        text=f"Best {plain(metric)} of each group over {asked.unit.name}",
        colouring=looks_of(asked.snapshot, found.groups["group"].to_list()),
        quality=plain(metric, limit=60),
        across=f"{asked.unit.name}, {kind}",
    )
    note(
        "Large: groups that no other beats in both, by means of runs that ended. Hover for the probability "
        "of lying on the front, over other seeds; one run a group has none."
    )
    note(_OF_COMPUTE[kind])
    note(said_escaped(list(found.caveats)))
    note(said_escaped([f"What steps are worth in {metric}:", *worth(asked, data.source)]))
    offer_downloads({"groups": found.groups, "runs": shown}, key="interventions_front", specs=[spec])


def _compute(asked: Asked, own: pl.DataFrame) -> tuple[str, pl.DataFrame]:
    """Return what compute is asked for, and the levels with it."""
    whole = with_whole_runs(own, asked.snapshot, asked.unit)
    spent = whole.filter("is_over")["compute"].drop_nulls()
    is_equal = spent.len() == 0 or float(str(spent.max())) <= 1.05 * float(str(spent.min()))
    kind = st.segmented_control(
        "Compute",
        [_WHOLE, _BEST],
        default=_BEST if is_equal else _WHOLE,
        required=True,
        key="interventions_compute",
        bind=IN_ADDRESS,
    )
    return kind or _WHOLE, own if kind == _BEST else whole


_WHOLE, _BEST = "whole run", "until its best level"
_OF_COMPUTE = {
    _WHOLE: "Compute is all that a run spent; where all spent as much, the front is the best level alone.",
    _BEST: "Compute is what a run had spent at its best level; one that never learned has that by chance.",
}


def draw_noise(data: Data, asked: Asked, groups: Groups) -> None:
    """Say whether the gain of the best group is more than a seed changes, and how many seeds would tell."""
    note(
        "A gain is judged against the standard deviation of runs that differ in their seed only. It cannot "
        "be told without two such runs."
    )
    metric, is_upward, own = levels(asked, data.source)
    frame = settings(asked.snapshot).frame
    mine = own.filter(pl.col("group").is_in(groups.table["group"].implode()))
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, data.source)
    gains = [
        gain_of_costs(rows, frame, groups=groups, baseline=asked.baseline),
        gain_of_levels(mine, frame, metric=metric, is_upward=is_upward, baseline=asked.baseline),
    ]
    for gain in gains:
        st.markdown(f"**{escape(gain.what)}.** {escape(gain.sentence, limit=600)}")
        note(said_escaped([_floor(gain)]) if gain.floor is not None else None)
    note(said_escaped(list(repeats(asked, data.source))))
    many = groups.table.height
    if many > 2:  # noqa: PLR2004
        note(
            f"The best of {many} groups was chosen after looking: part of its gain is luck, and p too small."
        )


def _floor(gain: Gain) -> str:
    floor = gain.floor
    if floor is None or floor.sd.value is None:
        return ""
    sd = floor.sd
    ends = "" if sd.low is None or sd.high is None else f" [{sd.low:.2g}, {sd.high:.2g}]"
    told = f"Noise floor: sd {sd.value:.2g}{ends} of a seed, from {floor.configurations} settings"
    return f"{told}; {gain.caveat}." if gain.caveat else f"{told}."


def draw_tuning(data: Data, asked: Asked, groups: Groups) -> None:
    """Draw what the best of some runs of each group costs."""
    curves = tuning_curves(settings_of(rows_of(asked.snapshot, asked.goal, asked.unit, data.source)))
    if curves.is_empty():
        note("No group has two runs: there is no best of several.")
        return
    known = set(curves.drop_nulls("median")["group"])
    order = [group for group in groups.table["group"] if group in known]
    note(
        "The runs of a group are taken for trials of one search: what the cheapest of 1, 2, … of them costs, "
        "with its 95 % band where that is bounded. Of runs that differ in their seed alone it is "
        "what picking the best seed would give."
    )
    if none := curves["group"].n_unique() - len(order):
        which = "1 group is" if none == 1 else f"{none:,} groups are"
        note(f"{which} not there in half of all draws, however many runs are drawn.")
    if not order:
        return
    shown = curves.filter(pl.col("group").is_in(order[:MOST_CURVES]))
    spec = show(
        tuning_chart,
        shown,
        key="interventions_tuning",
        text=f"{asked.unit.name} of the best of several runs of each group",
        colouring=looks_of(asked.snapshot, order[:MOST_CURVES]),
        unit=asked.unit.name,
    )
    note(phrases.cut(min(len(order), MOST_CURVES), len(order), "groups", rest="The data hold all."))
    offer_downloads({"tuning": curves}, key="interventions_tuning", specs=[spec])


def draw_profile(data: Data, asked: Asked, groups: Groups) -> None:
    """Draw performance profiles over the values of a param that stand for workloads."""
    known = settings(asked.snapshot)
    rows = rows_of(asked.snapshot, asked.goal, asked.unit, data.source)
    options = workload_options(rows, known.frame, known.labels)
    if not options:
        note(
            "Workloads are values of a param at which several groups were run. There is none: choose under "
            "Group by what is to be compared, and leave out the param that tells workloads apart."
        )
        return
    workload = (
        st.selectbox("Workload", options, key="interventions_workload", width=240, bind=IN_ADDRESS)
        or options[0]
    )
    found = profile_of_groups(rows, known.frame, workload=workload)
    st.markdown(escape(found.sentence, limit=600))
    if found.curves.is_empty():
        return
    order = [g for g in groups.table["group"] if g in set(found.curves["group"])]
    spec = show(
        profile_chart,
        found.curves,
        key="interventions_profile",
        text="Share of workloads on which each group is within a factor of the fastest",
        colouring=looks_of(asked.snapshot, order),
    )
    note("Higher is better: on that share of the workloads a group needs at most so many times the fastest.")
    offer_downloads({"profiles": found.curves}, key="interventions_profile", specs=[spec])


def draw_coordinates(data: Data, asked: Asked, groups: Groups) -> None:  # noqa: ARG001 - as all tabs are called
    """Draw each run as a line over all variables."""
    known = settings(asked.snapshot)
    if len(known.variables) < 2:  # noqa: PLR2004 - one axis is no picture
        note("Fewer than two params vary among these runs.")
        return
    found = coordinates_of(rows_of(asked.snapshot, asked.goal, asked.unit, data.source), known)
    spec = show(
        coordinates_chart,
        found.lines,
        found.ticks,
        key="interventions_coordinates",
        text="Each run as a line over its params, by what it spent until it was there",
        variables=found.variables,
        unit=asked.unit.name,
        palette=palette(),
    )
    note("A line a run: strong where it got there for little, thin and grey where it is not there.")
    note(phrases.cut(found.runs, found.of, "runs", rest="They are spread evenly over the costs."))
    note(phrases.cut(len(found.variables), len(known.variables), "params", rest="Those that vary most."))
    offer_downloads({"lines": found.lines}, key="interventions_coordinates", specs=[spec])


def draw_forecasts(data: Data, asked: Asked, groups: Groups) -> None:
    """Say what can be said of runs in training."""
    if phases.active(asked.snapshot.runs).is_empty():
        note("No run is in training: nothing to forecast.")
        return
    if asked.unit is not STEPS:
        note("A forecast is counted in steps; choose steps above.")
        return
    found = forecasts(asked, groups.budget, data.source)
    note(
        f"Chance that a run in training gets there within {amount(groups.budget, 'steps')}, from its "
        "curves and the finished runs; shown only where it beats the params alone on settings left out."
    )
    _chances([one for one in found if one.reason is None])
    for one in found:
        note(None if one.reason is None else f"{escape(one.run)}: {escape(one.reason, limit=600)}")
    if not found:
        note("All runs in training are there already.")


def _chances(shown: Sequence[Outlook]) -> None:
    if not shown:
        return
    rows = [(one.run, one.chance, one.low, one.high, one.remaining) for one in shown]
    names = ["run", "chance", "low", "high", "still to go (median steps)"]
    st.dataframe(
        pl.DataFrame(rows, schema=names, orient="row"),
        key="interventions_forecasts",
        hide_index=True,
        row_height=ROW_HEIGHT,
        placeholder=NOTHING,
        column_config={name: st.column_config.NumberColumn(format="percent") for name in names[1:4]},
        alt="Chance of each run in training",
    )
