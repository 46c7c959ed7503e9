"""What the speedrun's rule says of one group of runs."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.speedrun.ladder import Rung

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
        "inflation": pl.Float64(),
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
        inflation: Chance that the rule passes at any look up to ``n`` runs if there is no gain, by the sd
            pooled over groups.
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
    inflation: float | None = None
    missing: str | None = None


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
