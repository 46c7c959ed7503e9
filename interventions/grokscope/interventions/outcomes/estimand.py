"""What a cost to target means: the first crossing within a run, or the least planned budget that gets there.

Inside one annealed run the first crossing depends on the planned length, since the learning rate at a step
does. Runs of one planned length each then form a ladder: a budget is enough where the runs planned for it end
at the target.
"""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.description import guessed_param, param

LEARNING_RATE = "updates/learning_rate"
PLANNED = "planned"

_ANNEALED_BELOW, _CONSTANT_ABOVE = 0.2, 0.8
_CONSTANT = ("constant", "none", "constant_with_warmup", "fixed")
_SCHEDULE = "intervention.protocol.schedule"


class Estimand(StrEnum):
    """What is estimated."""

    ANYTIME = "anytime"
    LADDER = "ladder"


class EstimandError(GrokscopeError):
    """Runs for which no one estimand is right, or that lack what the wanted one needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEstimand:
    """What the runs' own schedules say.

    Attributes:
        estimand: What to estimate.
        caveat: What is to be said of it, in one sentence; ``None`` if nothing.
    """

    estimand: Estimand
    caveat: str | None = None


def told_estimand(runs: pl.DataFrame, curves: pl.DataFrame) -> ToldEstimand:
    """Return which estimand the logged schedules call for.

    A run is annealed if its learning rate ends below a fifth of its highest, or its schedule's name is no
    constant one. Annealed runs of several planned lengths are a ladder; everything else is read anytime.

    Args:
        runs: One row a run; the column ``planned`` is how long it was to be, params may name a schedule.
        curves: ``run_id, metric, step, value``; the metric ``updates/learning_rate`` is read.

    Raises:
        EstimandError: If some runs are annealed and others constant.

    >>> runs = pl.DataFrame({"run_id": ["a", "b"], "planned": [100, 200], "lr_scheduler": "cosine"})
    >>> curves = pl.DataFrame(schema={"run_id": str, "metric": str, "step": int, "value": float})
    >>> told_estimand(runs, curves).estimand
    <Estimand.LADDER: 'ladder'>
    """
    annealed = {**_by_name(runs), **_by_curve(curves)}
    counts = [sum(annealed.values()), len(annealed) - sum(annealed.values())]
    lengths = runs[PLANNED].drop_nulls().n_unique() if PLANNED in runs.columns else 0
    if all(counts) and lengths != 1:
        raise EstimandError(
            f"{counts[0]:,} runs are annealed and {counts[1]:,} are not; these cannot be compared by one "
            "estimand. Choose runs of one kind with --where, or say --estimand anytime or ladder"
        )
    if counts[0]:
        if lengths > 1:
            return ToldEstimand(estimand=Estimand.LADDER)
        return ToldEstimand(
            estimand=Estimand.ANYTIME,
            caveat="The runs are annealed: where they cross the target holds for their planned length only.",
        )
    if lengths > 1 and not annealed:
        return ToldEstimand(
            estimand=Estimand.ANYTIME,
            caveat="The runs were planned for several lengths and log no learning rate; if they were "
            "annealed, first crossings mislead, and --estimand ladder is right.",
        )
    return ToldEstimand(estimand=Estimand.ANYTIME)


def _by_name(runs: pl.DataFrame) -> dict[str, bool]:
    """Return run -> whether its schedule's name is one that anneals; none of runs that name no schedule."""
    found: dict[str, bool] = {}
    schedules = [name for name in runs.columns if guessed_param(name) == _SCHEDULE]
    for row in runs.select("run_id", *schedules).cast(pl.String).iter_rows(named=True) if schedules else ():
        name = param({key: value for key, value in row.items() if value is not None}, _SCHEDULE)
        if name is not None:
            found[row["run_id"]] = name.strip().lower() not in _CONSTANT
    return found


def _by_curve(curves: pl.DataFrame) -> dict[str, bool]:
    """Return run -> whether its learning rate came down; left out are runs in between, or with one value."""
    rates = curves.filter((pl.col("metric") == LEARNING_RATE) & pl.col("value").is_finite()).sort("step")
    ends = rates.group_by("run_id").agg(
        pl.len().alias("count"), (pl.col("value").last() / pl.col("value").max()).alias("left")
    )
    told = ends.filter(pl.col("count") > 1, ~pl.col("left").is_between(_ANNEALED_BELOW, _CONSTANT_ABOVE))
    return {run: left < _ANNEALED_BELOW for run, left in told.select("run_id", "left").iter_rows()}


def ladder_costs(costs: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return costs as planned budgets: at most a run's own if it ends at the target, more if it does not.

    A run that is still on its way, or was stopped before its planned end, says nothing and is left out. One
    that diverged on its way says that its budget was not enough.

    Args:
        costs: ``COSTS`` counted in steps.
        runs: Has ``run_id`` and ``planned``.

    Raises:
        EstimandError: If no run has a planned length.
    """
    if PLANNED not in runs.columns or not runs[PLANNED].count():
        raise EstimandError(
            "a ladder needs how long each run was planned to be, in a param 'planned' (steps); log it, or "
            "say --estimand anytime"
        )
    budget = pl.col(PLANNED).cast(pl.Float64)
    planned = costs.join(runs.select("run_id", PLANNED), on="run_id", maintain_order="left")
    # Evaluations need not fall on the very last step.
    diverged = pl.col("last").is_finite().not_()
    ended = planned.filter((pl.col("spent") >= 0.98 * budget) | (diverged & budget.is_not_null()))
    met = pl.col("ends_met") & diverged.not_()
    return ended.with_columns(
        reached=met,
        low=pl.when(met).then(0.0).otherwise(budget),
        high=pl.when(met).then(budget),
        spent=budget,
    ).select(costs.columns)
