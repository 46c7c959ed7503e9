"""The speedrun's rule: the fewest steps at which the mean of some runs is below the target by enough.

    (target - mean) · √n ≥ .004

Runs of one planned number of steps are taken together. At each step at which all of them were evaluated the
rule is read, and the first step at which it holds is the result. Logs that repeat another one count once.

Source: the rules of track 3 of the GPT-2 speedrun, github.com/KellerJordan/modded-nanogpt.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.copies import copies_of
from grokscope.interventions.rules.speedrun_ladder import Rung, rungs_of, runs_of

MARGIN = 0.004
"""What the rule asks of (target - mean) · √n, in the unit of the loss."""

SURVIVES = 20.0
"""An e-value that decides at 5 %, however often somebody looked."""

RECORDS = pl.Schema(
    {
        "group": pl.String(),
        "planned": pl.Int64(),
        "steps": pl.Int64(),
        "mean": pl.Float64(),
        "sd": pl.Float64(),
        "n": pl.Int64(),
        "logs": pl.Int64(),
        "rule_value": pl.Float64(),
        "passes": pl.Boolean(),
        "e_value": pl.Float64(),
        "survives": pl.Boolean(),
        "missing": pl.String(),
    }
)
"""``SpeedrunRecord`` as rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedrunRecord:
    """What the rule says of one group.

    Attributes:
        group: Its name.
        planned: The number of steps that its runs were planned for; of several, the one with the result.
        steps: The first step at which all runs were evaluated and the rule holds; where it never does, the
            last one at which all were. ``None`` where the runs share no step.
        mean, sd: Of the runs at that step; ``sd`` only of two or more.
        n: How many different runs the rule is read from.
        logs: How many logs the group has, of all planned numbers and with those that repeat another one.
        rule_value: (target - mean) · √n.
        passes: Whether that is at least the margin.
        e_value: Of the runs at that step, against "the mean is at the target or worse".
        survives: Whether the e-value is at least ``SURVIVES``, so that looking often explains nothing.
        missing: What there is not, and why.
    """

    group: str
    planned: int | None = None
    steps: int | None = None
    mean: float | None = None
    sd: float | None = None
    n: int = 0
    logs: int = 0
    rule_value: float | None = None
    passes: bool = False
    e_value: float | None = None
    survives: bool = False
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedrunResult:
    """What the rule says of all groups.

    Attributes:
        records: ``RECORDS``, by group.
        copies: ``COPIES`` of ``rules.copies``: logs that repeat another one, in whatever group that is.
        caveats: What to know before the records are used, one sentence each.
    """

    records: pl.DataFrame
    copies: pl.DataFrame
    caveats: tuple[str, ...]


def speedrun_records(
    curves: pl.DataFrame, target: Target, *, by: str, margin: float = MARGIN
) -> SpeedrunResult:
    """Return for each group the fewest steps at which the rule holds.

    Args:
        curves: ``run_id``, ``metric``, ``step``, ``value``, the column ``by``, and ``planned`` where runs
            were planned for different numbers of steps; rows of other metrics are passed over.
        target: The level that the mean must be beyond.
        by: The column that tells the groups.
        margin: In the unit of the metric.

    Raises:
        SpeedrunError: If a column is missing, or nothing has the metric.

    >>> rows = [("a", 9, 10, 3.29), ("a", 9, 20, 3.27), ("b", 9, 10, 3.28), ("b", 9, 20, 3.272)]
    >>> curves = pl.DataFrame(rows, schema=["run_id", "planned", "step", "value"], orient="row")
    >>> curves = curves.with_columns(metric=pl.lit("val_loss"), record=pl.lit("mine"))
    >>> found = speedrun_records(curves, Target.parse("val_loss<=3.28"), by="record").records
    >>> found.select("steps", pl.col("mean").round(4), "n", pl.col("rule_value").round(4)).rows()
    [(20, 3.271, 2, 0.0127)]
    """
    runs = runs_of(curves, target, by=by)
    copies = copies_of(runs)
    found = records_of(runs, copies, target, margin=margin)
    records = pl.DataFrame([asdict(record) for record in found.values()], schema=RECORDS)
    return SpeedrunResult(records=records, copies=copies, caveats=tuple(_caveats(records, copies)))


def records_of(
    runs: pl.DataFrame, copies: pl.DataFrame, target: Target, *, margin: float = MARGIN
) -> dict[str, SpeedrunRecord]:
    """Return what the rule says of each group, by name.

    Args:
        runs: ``RUNS`` of ``rules.speedrun_ladder``.
        copies: ``COPIES`` of ``rules.copies``.
        target: The level that the mean must be beyond.
        margin: In the unit of the metric.
    """
    logs = dict(runs.group_by("group").agg(pl.col("run_id").n_unique()).rows())
    return {
        name: replace(record_of(name, rungs, target, margin=margin), logs=logs[name])
        for name, rungs in rungs_of(distinct(runs, copies))
    }


def distinct(runs: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Return the runs without those whose original is in the same group.

    >>> runs = pl.DataFrame({"group": ["g", "g", "h"], "run_id": ["a", "b", "b"]})
    >>> distinct(runs, pl.DataFrame({"run_id": ["b"], "copy_of": ["a"]})).rows()
    [('g', 'a'), ('h', 'b')]
    """
    originals = runs.select("group", copy_of="run_id").unique()
    repeated = copies.join(originals, on="copy_of").select("group", "run_id")
    return runs.join(repeated, on=["group", "run_id"], how="anti", maintain_order="left")


def record_of(name: str, rungs: list[Rung], target: Target, *, margin: float = MARGIN) -> SpeedrunRecord:
    """Return the rung that needs the fewest steps, else what the one with the most runs ends at."""
    if not rungs:
        return SpeedrunRecord(group=name, missing="its runs share no step at which all were evaluated")
    first = [(_first(rung, target, margin), rung) for rung in rungs]
    holds = [(rung.steps[place], place, rung) for place, rung in first if place is not None]
    if holds:
        _, place, rung = min(holds, key=lambda one: one[0])
        return record_at(name, rung, target, place, margin=margin)
    rung = max(rungs, key=lambda one: one.n)
    ended = record_at(name, rung, target, len(rung.steps) - 1, margin=margin)
    return replace(ended, missing="the rule holds at no step; the last one is shown")


def _first(rung: Rung, target: Target, margin: float) -> int | None:
    """Return the place of the first evaluation at which the rule holds."""
    places = np.flatnonzero(rung.rule_values(target) >= margin)
    return int(places[0]) if places.size else None


def record_at(name: str, rung: Rung, target: Target, place: int, *, margin: float = MARGIN) -> SpeedrunRecord:
    """Return what the rule says of a rung at one of its evaluations."""
    values = rung.values[place]
    rule_value, e_value = float(rung.rule_values(target)[place]), rung.e_value(target, place)
    return SpeedrunRecord(
        group=name,
        planned=rung.planned,
        steps=int(rung.steps[place]),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if rung.n > 1 else None,
        n=rung.n,
        rule_value=rule_value,
        passes=rule_value >= margin,
        e_value=e_value,
        survives=e_value is not None and e_value >= SURVIVES,
        missing=None if e_value is not None else "no e-value: a run has diverged",
    )


def _caveats(records: pl.DataFrame, copies: pl.DataFrame) -> Iterator[str]:
    """Yield what to know before the records are used."""
    if copies.height:
        yield (
            "Logs that repeat another log to the last digit count once in a group: "
            f"{', '.join(copies['run_id'])}."
        )
    never = records.filter(~pl.col("passes"))["group"].to_list()
    if never:
        yield f"The rule holds at no step of {', '.join(never)}: the last step is shown."
    weak = records.filter(pl.col("passes") & ~pl.col("survives"))["group"].to_list()
    if weak:
        yield (
            f"The rule holds, and an e-value below {SURVIVES:g} says that looking again and again could be "
            f"why: {', '.join(weak)}."
        )
    yield (
        "The first step at which the rule holds is chosen among all evaluations: its mean is a little better "
        "than that of new runs would be."
    )
