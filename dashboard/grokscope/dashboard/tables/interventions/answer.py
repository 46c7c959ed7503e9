"""Which group reaches the goal for the least, in words, and what must be known with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.groups import LEAST_FINISHED, Groups, settings_of
from grokscope.dashboard.tables.x_units import Unit
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.escaping import escape
from grokscope.interventions.amounts import amount, amount_range
from grokscope.interventions.comparing.records import Contrast
from grokscope.interventions.contrasts.attainable import ROUNDING, advice
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.survival.median import FEWEST

_DECIDED = 0.05
_COARSE = 0.1
_Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The answer in markdown; names of others are escaped.

    Attributes:
        headline: One or a few sentences.
        caveats: What must be known with it, one sentence each.
        is_answer: Whether the headline names the cheapest group; else it says what is missing.
    """

    headline: str
    caveats: Sequence[str]
    is_answer: bool


def said_of(rows: pl.DataFrame, groups: Groups, *, goal: Goal, unit: Unit, remedy: str | None = None) -> Said:
    """Return the answer.

    Args:
        rows: ``REACHING``, of all runs.
        groups: Of these.
        goal: What was to be reached.
        unit: What is counted.
        remedy: A param by which groups would be large enough.
    """
    caveats = [*_of_ends(settings_of(rows)), *_of_numbers(rows, groups)]
    table = [dict(row) for row in groups.table.iter_rows(named=True)]
    reached, runs = (sum(_whole(row[name]) for row in table) for name in ("reached", "runs"))
    done = escape(goal.done)
    if not reached:
        farthest = amount(float(rows["spent"].max() or 0.0), unit.symbol)  # pyright: ignore[reportArgumentType]
        headline = f"None of {phrases.counted(runs, 'run')} {done}; the longest was trained for {farthest}."
        return Said(headline=headline, caveats=caveats, is_answer=False)
    if len(table) == 1:
        headline = (
            f"{reached} of {phrases.counted(runs, 'run')} {done}{_median(table[0], unit)}. {_ONE_GROUP}"
        )
        return Said(headline=headline, caveats=caveats, is_answer=False)
    enough = [row for row in table if _whole(row["finished"]) >= LEAST_FINISHED]
    if len(enough) < 2:  # noqa: PLR2004 - nothing to compare with
        return Said(headline=_too_few(table, done, unit, remedy), caveats=caveats, is_answer=False)
    is_answer = enough[0]["median"] is not None
    headline = _headline(enough, groups, done, unit) if is_answer else _no_median(table, done)
    short = len(table) - len(enough)
    if short:
        has = "group has" if short == 1 else "groups have"
        caveats = [
            f"{short} {has} fewer than {LEAST_FINISHED} finished runs and cannot come first.",
            *caveats,
        ]
    return Said(headline=headline, caveats=caveats, is_answer=is_answer)


_ONE_GROUP = (
    "There is one group, so nothing to compare: choose params under *Group by*, if any differ between "
    "the runs."
)


def _headline(enough: Sequence[_Row], groups: Groups, done: str, unit: Unit) -> str:
    first = enough[0]
    name = f"**{escape(str(first['group']))}**"
    if str(first["group"]) == groups.baseline:
        others = [row for row in enough[1:] if str(row["group"]) in groups.contrasts]
        rival = str(others[0]["group"]) if others else None
        found = None if rival is None else groups.contrasts[rival]
        how = "" if found is None or rival is None else f"{_of_others(groups)}{_of_next(rival, found)}"
    else:
        found = groups.contrasts.get(str(first["group"]))
        how = "" if found is None else _of_baseline(found, groups)
    few = "" if found is None else _few(_sizes(enough, groups, first), found)
    shown = found is not None and found.adjusted_p is not None and found.adjusted_p < _DECIDED
    counted = f"{first['reached']} of {phrases.counted(_whole(first['runs']), 'run')}"
    if shown:
        return f"{few}{name} {done} {unit.least}: {counted}{_median(first, unit)}.{how}"
    told = f"{counted} {done}{_median(first, unit)}"
    return f"{few}{name} comes first ({told}), but which is the cheapest is undecided.{how}"


def _sizes(enough: Sequence[_Row], groups: Groups, first: _Row) -> tuple[int, int]:
    by_name = {str(row["group"]): _whole(row["runs"]) for row in groups.table.iter_rows(named=True)}
    is_base = str(first["group"]) == groups.baseline
    other = str(enough[1]["group"]) if is_base else str(groups.baseline)
    return by_name[str(first["group"])], by_name[other]


def _few(sizes: tuple[int, int], found: Contrast) -> str:
    """Return what so few runs can show at all, which is to be known before anything else."""
    if found.attainable_p <= _DECIDED + ROUNDING:
        return ""
    said = advice(*sizes)
    return "" if said is None else f"{said[:1].upper()}{said[1:]}. "


def _of_others(groups: Groups) -> str:
    """Return that no run of the other groups is there, where none is."""
    others = groups.table.filter(pl.col("group") != groups.baseline)
    runs = int(others["runs"].sum())
    if others["reached"].sum():
        return ""
    return " The other run did not." if runs == 1 else f" None of the other {runs:,} runs did."


def _of_next(rival: str, found: Contrast) -> str:
    """Return how many times as much the next group costs as the first, which is the baseline."""
    ratio = found.speed_up
    if ratio.value is None or ratio.value <= 0:
        return f" Next comes {escape(rival)}{_tail(found)}."
    ends = ("…" if end is None else f"{1 / end:.3g}" for end in (ratio.high, ratio.low))
    known = "" if ratio.low is None and ratio.high is None else f" [{', '.join(ends)}]"
    return f" Next comes {escape(rival)} with {1 / ratio.value:.3g}{known} times as much{_tail(found)}."


def _of_baseline(found: Contrast, groups: Groups) -> str:
    ratio, base = found.speed_up, escape(str(groups.baseline))
    if ratio.value is None:
        return f" Its speed-up over the baseline {base} cannot be told{_tail(found)}."
    ends = ("…" if end is None else f"{end:.3g}" for end in (ratio.low, ratio.high))
    known = "" if ratio.low is None and ratio.high is None else f" [{', '.join(ends)}]"
    return f" Speed-up over the baseline {base}: {ratio.value:.3g}×{known}{_tail(found)}."


def _tail(found: Contrast) -> str:
    p = found.adjusted_p
    if p is None:
        return ""
    told = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"  # noqa: PLR2004 - further digits tell nothing
    return f" ({told})" if p < _DECIDED else f" ({told}: no difference is shown)"


def _no_median(table: Sequence[_Row], done: str) -> str:
    best = max(table, key=lambda row: _whole(row["reached"]) / _whole(row["runs"]))
    counted = f"{best['reached']} of {best['runs']}"
    return (
        f"In no group of {LEAST_FINISHED} finished runs or more half of the runs {done}, so none can be "
        f"called the cheapest. Most did in {escape(str(best['group']))}: {counted}."
    )


def _too_few(table: Sequence[_Row], done: str, unit: Unit, remedy: str | None) -> str:
    most = max(_whole(row["finished"]) for row in table)
    largest = "only one has so many" if most >= LEAST_FINISHED else f"the largest has {most}"
    first = table[0]
    so_far = ""
    if first["median"] is not None:
        so_far = (
            f" So far {escape(str(first['group']))} {done} {unit.least}: "
            f"{first['reached']} of {first['runs']}{_median(first, unit)}."
        )
    return (
        f"No group is called the cheapest: that takes two groups of {LEAST_FINISHED} finished runs, and of "
        f"{len(table)} groups {largest}. Run more seeds, or choose "
        f"{'fewer params' if remedy is None else f'{escape(remedy)} alone'} under *Group by*.{so_far}"
    )


def _median(row: _Row, unit: Unit) -> str:
    if row["median"] is None:
        return ""
    low, high = (None if row[end] is None else float(str(row[end])) for end in ("low", "high"))
    known = ""
    if low is not None and high is not None:
        known = f" [{amount_range(low, high, unit.symbol)}]"
    elif low is not None or high is not None:
        known = " [{} – {}]".format(
            *("…" if end is None else amount(end, unit.symbol) for end in (low, high))
        )
    return f", median {amount(float(str(row['median'])), unit.symbol)}{known}"


def _of_ends(rows: pl.DataFrame) -> Iterator[str]:
    counts: dict[str, int] = dict(rows.group_by("end").len().iter_rows())
    told = (
        (End.DIVERGED, "diverged: counted as never getting there"),
        (End.RUNNING, "still training: counted as not there yet"),
        (End.STOPPED, "stopped short of the plan; if that was for looking bad, the group looks too good"),
        (End.FAILED, "failed: counted as not there yet"),
    )
    for end, said in told:
        if count := counts.get(end.value):
            yield f"{phrases.counted(count, 'run')} {said}."
    fallen = rows.filter(pl.col("lost") & pl.col("reached")).height
    if fallen:
        yield f"{phrases.counted(fallen, 'run')} ended without the level again: the first evaluation counts."
    collapsed = rows.filter(pl.col("lost") & ~pl.col("reached")).height
    if collapsed:
        yield f"{phrases.counted(collapsed, 'run')} got there and collapsed: counted as never getting there."


def _of_numbers(rows: pl.DataFrame, groups: Groups) -> Iterator[str]:
    small = groups.table.filter(pl.col("runs") < FEWEST).height
    if small:
        which = (
            "No group has"
            if small == groups.table.height
            else f"{small} of {groups.table.height} groups lack"
        )
        yield f"{which} {FEWEST} runs: below that a median has no interval without a model."
    there = rows.filter(pl.col("reached") & (pl.col("at") > 0))
    width = there.select(((pl.col("high") - pl.col("low")) / pl.col("at")).median()).item()
    if width is not None and width > _COARSE:
        yield f"A date is known to {width:.0%} of itself (median): evaluations lie that far apart."
    if groups.left:
        yield f"{groups.left} dearer groups are not compared with the baseline: they would be too many."


def _whole(value: object) -> int:
    return int(str(value))
