"""Published results of a speedrun beside what the rule says of their logs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from grokscope.interventions.noise.replicates import copies_of
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.speedrun.ladder import Rung, rungs_of, runs_of
from grokscope.interventions.rules.speedrun.peeking import with_inflation
from grokscope.interventions.rules.speedrun.record import MARGIN, SpeedrunRecord, record_at, record_of
from grokscope.interventions.rules.speedrun.records import distinct
from grokscope.interventions.rules.speedrun.results import PublishedResult, PublishedResults

DIGIT = 0.00011
"""Published means have four digits, some cut and some rounded: up to .0001 they are the same."""

CLAIMS = pl.Schema(
    {
        "number": pl.String(),
        "published_steps": pl.Int64(),
        "published_mean": pl.Float64(),
        "published_n": pl.Int64(),
        "listed": pl.Int64(),
        "found": pl.Int64(),
        "n": pl.Int64(),
        "steps": pl.Int64(),
        "agrees": pl.Boolean(),
        "mean": pl.Float64(),
        "rule_value": pl.Float64(),
        "passes": pl.Boolean(),
        "e_value": pl.Float64(),
        "survives": pl.Boolean(),
        "inflation": pl.Float64(),
        "explanation": pl.String(),
        "notes": pl.List(pl.String()),
    }
)
"""``SpeedrunClaim`` as rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedrunClaim:
    """One published result and what its logs say.

    Attributes:
        number, published_steps, published_mean, published_n: As published.
        listed, found: How many logs it lists, and how many of these there are.
        n: How many different runs these are, of the rung that is read.
        steps: The fewest steps at which the rule holds; where it holds nowhere, the last at which all runs
            were evaluated.
        agrees: Whether that is the published number.
        mean, rule_value, passes, e_value, survives: At the published number of steps, where all runs were
            evaluated there; as in ``SpeedrunRecord``.
        inflation: Of the rule looked at after each of ``n`` runs, as in ``SpeedrunRecord``.
        explanation: Why ``steps`` is another number, or missing; ``None`` where it agrees.
        notes: What else differs from what was published.
    """

    number: str
    published_steps: int
    published_mean: float | None
    published_n: int | None
    listed: int
    found: int
    n: int = 0
    steps: int | None = None
    agrees: bool = False
    mean: float | None = None
    rule_value: float | None = None
    passes: bool | None = None
    e_value: float | None = None
    survives: bool | None = None
    inflation: float | None = None
    explanation: str | None = None
    notes: tuple[str, ...] = ()


def speedrun_claims(
    curves: pl.DataFrame, published: PublishedResults, target: Target, *, margin: float = MARGIN
) -> pl.DataFrame:
    r"""Return each published result with what the rule says of the logs that it lists, as ``CLAIMS``.

    Args:
        curves: ``run_id``, ``metric``, ``step``, ``value``, and ``planned`` where it is known.
        published: The results.
        target: The level that the mean must be beyond.
        margin: In the unit of the metric.

    Raises:
        SpeedrunError: If a column is missing, or nothing has the metric.

    >>> rows = [("a", 10, 3.29), ("a", 20, 3.27), ("b", 10, 3.28), ("b", 20, 3.272)]
    >>> curves = pl.DataFrame(rows, schema=["run_id", "step", "value"], orient="row")
    >>> result = {"number": 1, "steps": 10, "mean_loss": 3.271, "n": 2, "runs": ["a", "b"]}
    >>> published = PublishedResults.parse({"results": [result]})
    >>> target = Target.parse("val_loss<=3.28")
    >>> claims = speedrun_claims(curves.with_columns(metric=pl.lit("val_loss")), published, target)
    >>> print(*claims["explanation"].item().split("; "), sep="\n")
    At 10 steps the mean of its 2 runs is 3.2850 and the rule does not hold
    it first holds at 20 steps, where the mean is the published one.
    """
    listed = pl.DataFrame(
        [(result.number, run) for result in published.results for run in result.runs],
        schema={"group": pl.String, "run_id": pl.String},
        orient="row",
    )
    every = runs_of(curves, target, by="run_id")
    runs = every.drop("group").join(listed, on="run_id").select(every.columns)
    copies = copies_of(every.with_columns(metric=pl.lit(target.metric)))
    rungs = dict(rungs_of(distinct(runs, copies)))
    found = dict(runs.group_by("group").agg(pl.col("run_id").n_unique()).rows())
    told = {
        one.number: replace(
            record_of(one.number, rungs.get(one.number, []), target, margin=margin),
            logs=found.get(one.number, 0),
        )
        for one in published.results
    }
    records = with_inflation(told, margin=margin)
    claims = [
        _claim(one, records[one.number], rungs.get(one.number, []), target, margin=margin)
        for one in published.results
    ]
    return pl.DataFrame([asdict(claim) for claim in claims], schema=CLAIMS)


def _claim(
    result: PublishedResult, record: SpeedrunRecord, rungs: list[Rung], target: Target, *, margin: float
) -> SpeedrunClaim:
    """Return what the rungs of a result's logs say."""
    rung = next((rung for rung in rungs if rung.planned == record.planned), None)
    there = None if rung is None else _at(result, rung, target, margin)
    explained = _Explained(result=result, record=record, there=there, rung=rung, target=target)
    return SpeedrunClaim(
        number=result.number,
        published_steps=result.steps,
        published_mean=result.mean,
        published_n=result.n,
        listed=len(result.runs),
        found=record.logs,
        n=record.n,
        steps=record.steps,
        agrees=record.steps == result.steps,
        mean=there.mean if there else None,
        rule_value=there.rule_value if there else None,
        passes=there.passes if there else None,
        e_value=there.e_value if there else None,
        survives=there.survives if there else None,
        inflation=record.inflation,
        explanation=None if record.steps == result.steps else explained.why(),
        notes=tuple(explained.notes()),
    )


def _at(result: PublishedResult, rung: Rung, target: Target, margin: float) -> SpeedrunRecord | None:
    """Return what the rule says at the published number of steps, if all runs were evaluated there."""
    places = np.flatnonzero(rung.steps == result.steps)
    if not places.size:
        return None
    return record_at(result.number, rung, target, int(places[0]), margin=margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    """A published result with what its logs say, in words."""

    result: PublishedResult
    record: SpeedrunRecord
    there: SpeedrunRecord | None
    rung: Rung | None
    target: Target

    def why(self) -> str:
        """Return why the number of steps is not the published one."""
        if not self.result.runs:
            return "No log is listed for it."
        if not self.record.logs:
            return f"None of its {len(self.result.runs)} logs is among the runs."
        if self.rung is None or self.record.steps is None:
            return "Its runs share no step at which all were evaluated."
        if not self.record.passes:
            return f"{self._fewer()}The rule holds at no step; {self._best(self.rung)}"
        if self.record.steps < self.result.steps:
            return self._earlier(self.rung, self.record.steps)
        return f"{self._published_place()}; it first holds at {self.record.steps:,} steps{self._same_mean()}."

    def notes(self) -> Iterator[str]:
        """Yield what else differs from what was published."""
        listed, logs = len(self.result.runs), self.record.logs
        if logs < listed:
            yield f"{listed - logs} of its {listed} logs are not there"
        if self.record.n and self.record.n < logs:
            yield f"its {logs} logs are {self.record.n} different runs of one planned number of steps"
        if self.result.n is not None and self.record.n and self.record.n != self.result.n:
            yield f"published from {self.result.n} runs, its logs are {self.record.n}"
        if self.record.steps is not None and not self.record.passes:
            yield f"the rule does not hold: its value is {self.record.rule_value:.4f}"
        if self.there and self.result.mean is not None and not self._has_published_mean(self.there.mean):
            yield f"published with a mean of {self.result.mean:.4f}, its logs have {self.there.mean:.4f}"

    def _fewer(self) -> str:
        """Return that logs are missing."""
        n = self.result.n
        return f"It has {self.record.n} of {n} runs. " if n is not None and self.record.n < n else ""

    def _best(self, rung: Rung) -> str:
        """Return where the rule comes closest."""
        values = rung.rule_values(self.target)
        if np.isnan(values).all():
            return "a run has diverged."
        place = int(np.nanargmax(values))
        return f"its largest value is {values[place]:.4f}, at {rung.steps[place]:,} steps."

    def _earlier(self, rung: Rung, steps: int) -> str:
        """Return how long before the published number the rule holds."""
        between = int(((rung.steps > steps) & (rung.steps <= self.result.steps)).sum())
        evaluations = f"{between} evaluation{'s' if between > 1 else ''}"
        return f"The rule holds already at {steps:,} steps, {evaluations} before {self.result.steps:,}."

    def _published_place(self) -> str:
        """Return what there is at the published number of steps."""
        if self.there is None:
            return f"Its runs were not all evaluated at {self.result.steps:,} steps"
        return (
            f"At {self.result.steps:,} steps the mean of its {self.there.n} runs is {self.there.mean:.4f} "
            "and the rule does not hold"
        )

    def _same_mean(self) -> str:
        """Return that the mean there is the published one."""
        return ", where the mean is the published one" if self._has_published_mean(self.record.mean) else ""

    def _has_published_mean(self, mean: float | None) -> bool:
        """Return whether a mean is the published one, as far as that has digits."""
        return mean is not None and self.result.mean is not None and abs(mean - self.result.mean) < DIGIT
