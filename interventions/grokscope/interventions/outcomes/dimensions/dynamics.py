"""Generalization dynamics, from verdicts: dates, delay, width, stages, and what was lost again."""

import math
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from grokscope.interventions.outcomes.dimensions.record import Dimension, Outcome
from grokscope.schemas import KINDS_GAINED, KINDS_LOST, Date, Status, Verdict

Value = tuple[float | None, float | None, float | None]
"""A value and between which it is known to be."""

NOTHING: Value = (None, None, None)
_UNITS = {
    "memorized": "steps",
    "onset": "steps",
    "generalized": "steps",
    "delay": "steps",
    "delay ratio": "1",
    "width": "decades",
    "stages": "1",
    "losses": "1",
}


def dynamics_rows(runs: pl.DataFrame, verdicts: Iterable[Verdict]) -> Iterator[pl.DataFrame]:
    """Yield rows of ``DIMENSIONS`` for the dynamics of each run.

    ``width`` is the number of decades of steps from onset to generalized. ``stages`` counts confirmed rises,
    ``losses`` confirmed collapses and divergences.

    Args:
        runs: ``run_id``.
        verdicts: At most one a run; of a run without one, nothing is known.
    """
    known = {verdict.run: verdict for verdict in verdicts}
    told = [dynamics_of(verdict) for verdict in known.values()]
    reasons = ["; ".join(verdict.missing) or None for verdict in known.values()]
    for name, unit in _UNITS.items():
        outcome = Outcome(
            dimension=Dimension.DYNAMICS,
            name=name,
            curve="verdict",
            unit=unit,
            why="there is no verdict of it",
        )
        values = [one[name] for one in told]
        columns = {"run_id": list(known), "missing": reasons}
        columns |= {end: [value[place] for value in values] for place, end in enumerate(_ENDS)}
        frame = pl.DataFrame(columns, schema=_SCHEMA, strict=False)
        yield outcome.rows(
            runs, frame.with_columns(pl.col("missing").fill_null(f"the verdict has no {name}"))
        )


_ENDS = ("value", "low", "high")
_SCHEMA = {"run_id": pl.String, "missing": pl.String} | dict.fromkeys(_ENDS, pl.Float64)


def dynamics_of(verdict: Verdict) -> Mapping[str, Value]:
    """Return the values of one run.

    >>> from grokscope.schemas import Pattern
    >>> onset, generalized = Date(step=100, low=90, high=110), Date(step=1000, low=900, high=1000)
    >>> verdict = Verdict(run="a", pattern=Pattern.GROKKING, onset=onset, generalized=generalized)
    >>> found = dynamics_of(verdict)
    >>> found["onset"], found["width"][0], found["delay"]
    ((100, 90, 110), 1.0, (None, None, None))
    """
    delay = verdict.delay
    confirmed = [one.kind for one in verdict.transitions if one.status is Status.CONFIRMED]
    return {
        "memorized": _date(verdict.memorized),
        "onset": _date(verdict.onset),
        "generalized": _date(verdict.generalized),
        "delay": NOTHING if delay is None else (delay.steps, None, None),
        "delay ratio": NOTHING if delay is None else (delay.ratio, None, None),
        "width": _width(verdict.onset, verdict.generalized),
        "stages": (len([kind for kind in confirmed if kind in KINDS_GAINED]), None, None),
        "losses": (len([kind for kind in confirmed if kind in KINDS_LOST]), None, None),
    }


def _date(date: Date | None) -> Value:
    """Return a step with its interval."""
    return NOTHING if date is None else (date.step, date.low, date.high)


def _width(onset: Date | None, generalized: Date | None) -> Value:
    """Return log₁₀(generalized / onset), and the widest and narrowest that the intervals allow."""
    if onset is None or generalized is None or onset.step <= 0 or generalized.step < onset.step:
        return NOTHING
    shortest = max(1.0, generalized.low / onset.high)
    longest = generalized.high / onset.low if onset.low > 0 else math.inf
    high = math.log10(longest) if math.isfinite(longest) else None
    return math.log10(generalized.step / onset.step), math.log10(shortest), high
