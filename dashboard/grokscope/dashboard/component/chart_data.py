"""From a snapshot to the frames that charts take."""

from collections.abc import Mapping, Sequence

import polars as pl

from grokscope.dashboard.charts import LIMIT, StepAxis, ceiling, marks_of, thinned
from grokscope.dashboard.charts.elements.marks import lost_events
from grokscope.dashboard.charts.elements.palette import Colouring, Palette
from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.words.dates import date_of
from grokscope.schemas import Kind
from grokscope.transitions.curves.series import COUNT
from grokscope.transitions.curves.units import Unit

MOST_RUNS = 200
"""Runs over each other; beyond, lines are only ink."""

_CHART_ROWS = 24_000
_FEWEST = 20
MOST_ROWS = 60
"""Rows of a timeline; beyond, names are no longer read but searched for, which a table does better."""

MORE_ROWS = "To see others, select runs on the page Runs and compare them."
"""What to do about a timeline that is cut."""

TIMELINE = "When each run memorized, and the onset and completion of its rise"
"""Alternative text of timelines."""

_THOUSANDTHS = "They are counted in thousandths: 1,500 here is 1.5 there."

_DATED: Mapping[str, str] = {
    "memorized": "○ memorized",
    "onset": "◆ onset, its 95 % interval shaded",
    "completion": "● completion",
}
_LOST: Mapping[Kind, str] = {
    Kind.OVERFITTING: "■ best level before overfitting",
    Kind.COLLAPSE: "▼ collapse",
    Kind.DIVERGENCE: "✚ divergence",
}


def key_of(snapshot: Snapshot) -> str:
    """Return what the marks on curves and timelines mean, of those that some run has; ``""`` without any."""
    verdicts = snapshot.verdicts.values()
    dated = [said for name, said in _DATED.items() if any(date_of(verdict, name) for verdict in verdicts)]
    kinds = {event.kind for verdict in verdicts for event in lost_events(verdict)}
    now = ["▶ now"] if phases.active(snapshot.runs).height else []
    return "  ".join([*dated, *(said for kind, said in _LOST.items() if kind in kinds), *now])


def budget(lines: int) -> int:
    """Return how many points each of ``lines`` lines of one chart may have."""
    return max(_FEWEST, min(LIMIT, _CHART_ROWS // max(1, lines)))


def axis_of(snapshot: Snapshot, *, run_ids: Sequence[str] | None = None, log: bool = True) -> StepAxis:
    """Return the step axis that holds the given runs, or all, to their planned ends."""
    runs = snapshot.runs if run_ids is None else snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    training = runs.filter(pl.col("status") == "RUNNING")
    return StepAxis(
        last=ceiling(runs["step"], [*training["planned"], *_ends(runs)]),
        log=log,
        in_thousandths=runs.height > 0 and snapshot.in_thousandths.issuperset(runs["run_id"]),
    )


def _ends(runs: pl.DataFrame) -> list[int | None]:
    """Return where ended runs stopped: nothing will pass there, so the axis need not be round."""
    return runs.filter(pl.col("status") != "RUNNING")["step"].to_list()


def drawn_points(
    points: pl.DataFrame, snapshot: Snapshot, axis: StepAxis, *, limit: int = LIMIT
) -> pl.DataFrame:
    """Return thinned points with the runs' labels and groups, and what role they have."""
    wanted = ("run_id", "metric", "role", "quantity", "step", "value", "x")
    kept = thinned(points, axis, limit=limit).select(c for c in wanted if c in points.columns)
    return kept.join(_named(snapshot), on="run_id", how="inner", maintain_order="left")


def drawn_marks(
    snapshot: Snapshot, points: pl.DataFrame, *, run_ids: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the events of the given runs, or of all, on ``points``, with the runs' labels and groups."""
    wanted: list[str] = list(snapshot.runs["run_id"] if run_ids is None else run_ids)
    verdicts = {run: snapshot.verdicts[run] for run in wanted if run in snapshot.verdicts}
    now = set(phases.active(snapshot.runs)["run_id"])
    marks = marks_of(verdicts, points, now=now)
    return marks.join(_named(snapshot), on="run_id", how="inner", maintain_order="left")


def rows_of(snapshot: Snapshot, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return ``run_id, run, group, step`` of the given runs for a timeline: group by group, seed by seed.

    Of more runs than there are rows, those with something to show come first into them.
    """
    order = {group: place for place, group in enumerate(snapshot.groups())}
    rank = pl.col("group").replace_strict(order, default=len(order), return_dtype=pl.Int64())
    mine = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    dated = {run for run, v in snapshot.verdicts.items() if v.memorized is not None or v.onset is not None}
    kept = mine.sort(pl.col("run_id").is_in(dated).not_(), rank, "seed", "label", nulls_last=True).head(
        MOST_ROWS
    )
    ordered = kept.sort(rank, "seed", "label", nulls_last=True)
    return ordered.select("run_id", pl.col("label").alias("run"), "group", "step")


def colours_of(snapshot: Snapshot, palette: Palette, *, run_ids: Sequence[str] | None = None) -> Colouring:
    """Return the looks of groups: the same whatever is shown beside them, wherever they suffice for all.

    With more groups than looks, the groups of the given runs share these among themselves.
    """
    groups = list(dict.fromkeys([*snapshot.seen, *snapshot.groups()]))
    if palette.left_grey(groups):
        runs = snapshot.runs
        if run_ids is not None:
            runs = runs.filter(pl.col("run_id").is_in(list(run_ids)))
        shown = set(runs["group"])
        groups = [group for group in groups if group in shown]
    return Colouring(
        field="group", colours=palette.of(groups), palette=palette, dashes=palette.dashes(groups)
    )


def said_of_grey(colouring: Colouring, what: str) -> str | None:
    """Return which lines are grey for want of colours, and how to get them coloured; ``None`` if none."""
    grey = sum(colour == colouring.palette.muted for colour in colouring.colours.values())
    if not grey:
        return None
    return (
        f"{len(colouring.colours) - grey} of {len(colouring.colours)} {what} have a colour of their own; the "
        "others are grey, since no look is used twice. Show fewer to colour those."
    )


def said_of_thinning(drawn: int, whole: int, *, of: str = "") -> str | None:
    """Return how many points are drawn of how many there are; ``None`` if all are.

    Args:
        drawn: How many are drawn.
        whole: How many there are.
        of: Which extremes are kept, where not all are, after a space.

    >>> said_of_thinning(1200, 48000)
    '1,200 of 48,000 points; all extremes kept. A narrower range of steps shows more of them.'
    """
    if drawn >= whole:
        return None
    return (
        f"{drawn:,} of {whole:,} points; all extremes{of} kept. A narrower range of steps shows more of them."
    )


def said_of_units(snapshot: Snapshot, run_ids: Sequence[str]) -> str | None:
    """Return that levels are shown in another unit than some runs logged, or are no shares; else ``None``."""
    mine = [set(snapshot.units.get(run, {}).values()) for run in run_ids]
    per_cent = sum(Unit.PER_CENT in units for units in mine)
    counts = sum(Unit.COUNT in units for units in mine)
    said: list[str] = []
    if per_cent:
        what = "1 run was" if per_cent == 1 else f"{per_cent:,} runs were"
        said.append(f"{what} logged in per cent; the values here and in the data are shares of 1.")
    if counts:
        what = "1 run" if counts == 1 else f"{counts:,} runs"
        said.append(f"{what} logged numbers beyond 100, which are counts and no shares: they end in {COUNT}.")
    return " ".join(said) or None


def said_of_steps(snapshot: Snapshot, run_ids: Sequence[str]) -> str | None:
    """Return that steps are thousandths of those in the logs of some of the runs; else ``None``."""
    some = sum(run in snapshot.in_thousandths for run in run_ids)
    if not some:
        return None
    if len(run_ids) == 1:
        return f"The steps of its log are fractions, of epochs for instance. {_THOUSANDTHS}"
    is_all = some == len(run_ids)
    which = (
        "All runs were" if is_all else f"{some:,} of {len(run_ids):,} runs {'was' if some == 1 else 'were'}"
    )
    others = "" if is_all else " They are not the steps of the other runs."
    return f"{which} logged at fractions of a step, of epochs for instance. {_THOUSANDTHS}{others}"


def _named(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.runs.select("run_id", pl.col("label").alias("run"), "group")
