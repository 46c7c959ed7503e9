"""Groups of runs compared by what they spend until a target."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from grokscope.interventions.comparing.caveats import caveats_of, without_median
from grokscope.interventions.comparing.group_results import group_results
from grokscope.interventions.comparing.grouping import (
    blocks_of,
    called,
    group_labels,
    pooled_params,
    seed_param,
)
from grokscope.interventions.comparing.pairs import contrasts_of
from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.comparing.sentences import answer
from grokscope.interventions.comparing.trend import Trend, trend_of
from grokscope.interventions.contrasts.tuning import CURVE, tuning_curves
from grokscope.interventions.designs.exchange_rate import ExchangeRate, exchange_rates
from grokscope.interventions.outcomes.costs import COSTS, STEPS, CensoredCosts, common_budget, costs_of
from grokscope.interventions.outcomes.ends import ended, ends_of, lasting_as_their_group
from grokscope.interventions.outcomes.estimand import Estimand, ladder_costs, told_estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.query import named_param
from grokscope.schemas.workers import HERE, Workers

SETTING = "setting"

_MOST_WITHIN = 12
"""Values of a param up to which each has a level of its own in a trend; one with more may name the runs."""


class ComparisonError(GrokscopeError):
    """Runs that cannot be compared."""


def compare(  # noqa: PLR0913 - keyword-only options of one public face, each with a default
    observed: ObservedRuns,
    *,
    target: Target,
    by: Sequence[str] = (),
    count_in: str = STEPS,
    estimand: Estimand | None = None,
    workers: Workers = HERE,
) -> Comparison:
    """Compare groups of runs by what they spend until they reach a target, unfinished runs counted in.

    Args:
        observed: The runs; a param ``planned`` is how many steps each was to take.
        target: What is to be reached.
        by: Params whose values make the groups; a param may go by its usual name.
        count_in: The unit of costs: ``"steps"``, or one that the curves count.
        estimand: What a cost means; ``None`` to have it told by the logged schedules.
        workers: Who computes: some groups a task, then a task two groups. The comparison is the same.

    Returns:
        The groups, the cheapest first, and every two of them (of more than ten groups, the cheapest with
        each other one).

    Raises:
        ComparisonError: If no run has the metric.
        QueryError, UnitError, EstimandError: If a param, the unit or a plan is not there.
    """
    runs, curves = observed.runs, observed.curves
    told = None if estimand is not None else told_estimand(runs, curves)
    wanted = estimand or (told.estimand if told is not None else Estimand.ANYTIME)
    labelled, is_split = _labelled(runs, by)
    found = _costs(labelled, curves, target, unit=count_in, estimand=wanted)
    costs = found.join(_placed(labelled), on="run_id", how="inner", maintain_order="left")
    if costs.is_empty():
        raise ComparisonError(_nothing_to_compare(labelled, curves, target))
    samples = {str(name): part for (name,), part in costs.group_by("group", maintain_order=True)}
    budget = common_budget([CensoredCosts.of(part) for part in samples.values()])
    groups = group_results(samples, budget=budget, estimand=wanted, workers=workers)
    is_ladder, pooled = wanted is Estimand.LADDER, pooled_params(labelled)
    contrasts = contrasts_of(groups, samples, is_split=is_split, is_ladder=is_ladder, workers=workers)
    caveats = caveats_of(costs, curves, target=target, told=told, pooled=pooled, estimand=wanted)
    caveats += tuple(_settings_said(labelled, is_split=is_split))
    caveats += _left_out_said(labelled, curves, costs, target=target, unit=count_in)
    return Comparison(
        target=target,
        estimand=wanted,
        count_in=count_in,
        budget=budget,
        groups=groups,
        contrasts=contrasts,
        sentence=answer(groups, contrasts, target=target, unit=count_in, name=partial(called, by=by)),
        caveats=(*observed.notes, *caveats, *without_median(groups)),
        trend=_trend(costs, observed, by, pooled) if wanted is Estimand.ANYTIME else None,
        tuning=tuning_curves(costs) if wanted is Estimand.ANYTIME else CURVE.to_frame(),
        exchange_rates=_worth_of_steps(curves, labelled, target),
        costs=costs,
    )


def _worth_of_steps(curves: pl.DataFrame, labelled: pl.DataFrame, target: Target) -> tuple[ExchangeRate, ...]:
    mine = curves.filter(pl.col("metric") == target.metric)
    return exchange_rates(mine, ended(labelled), is_upward=target.is_upward)


def _trend(
    costs: pl.DataFrame, observed: ObservedRuns, by: Sequence[str], pooled: Sequence[str]
) -> Trend | None:
    if len(by) != 1:
        return None
    runs, seed = observed.runs, seed_param(observed.params)
    within = [name for name in pooled if name != seed and runs[name].n_unique() <= _MOST_WITHIN]
    param = named_param(by[0], observed.params)
    return trend_of(costs, runs, param=param, called=by[0], within=within)


def _labelled(runs: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, bool]:
    """Return runs with their groups, and whether these may be of several settings.

    Runs of several settings are never averaged: groups that mix them are split by the setting, too.
    """
    labelled = group_labels(runs, by)
    if SETTING not in runs.columns or SETTING in by:
        return labelled, False
    mixed = labelled.group_by("group").agg(pl.col(SETTING).drop_nulls().n_unique())[SETTING].max()
    is_mixed = isinstance(mixed, int) and mixed > 1
    return (group_labels(runs, [*by, SETTING]) if is_mixed else labelled), True


def _settings_said(labelled: pl.DataFrame, *, is_split: bool) -> list[str]:
    settings = labelled[SETTING].drop_nulls().unique().sort().to_list() if is_split else []
    if len(settings) <= 1:
        return []
    return [f"Runs are of several settings ({', '.join(map(str, settings))}): these are not compared."]


def _left_out_said(
    labelled: pl.DataFrame, curves: pl.DataFrame, costs: pl.DataFrame, *, target: Target, unit: str
) -> tuple[str, ...]:
    with_metric = curves.filter(pl.col("metric") == target.metric)["run_id"].unique()
    left = set(with_metric).intersection(labelled["run_id"]).difference(costs["run_id"])
    if not left:
        return ()
    runs = "1 run is" if len(left) == 1 else f"{len(left):,} runs are"
    return (f"{runs} left out: {unit} are not counted there, are below zero, or fall.",)


def _placed(labelled: pl.DataFrame) -> pl.DataFrame:
    setting = [SETTING] if SETTING in labelled.columns else []
    return blocks_of(labelled).join(labelled.select("run_id", *setting), on="run_id", maintain_order="left")


def _costs(
    runs: pl.DataFrame, curves: pl.DataFrame, target: Target, *, unit: str, estimand: Estimand
) -> pl.DataFrame:
    """Return ``COSTS`` with ``end``, as the estimand means them."""
    mine = curves.filter(pl.col("run_id").is_in(runs["run_id"].implode()))
    steps = ends_of(costs_of(mine, target), runs)
    if estimand is Estimand.LADDER:
        if unit != STEPS:
            raise ComparisonError(f"a ladder is counted in steps, as runs are planned in; got {unit!r}")
        return ladder_costs(steps, runs)
    ends = steps.select("run_id", "end")
    costs = (steps.drop("end") if unit == STEPS else costs_of(mine, target, unit=unit)).join(
        ends, on="run_id", maintain_order="left"
    )
    labelled = costs.join(runs.select("run_id", "group"), on="run_id", maintain_order="left")
    return lasting_as_their_group(labelled).select(*COSTS, "end")


def _nothing_to_compare(runs: pl.DataFrame, curves: pl.DataFrame, target: Target) -> str:
    if runs.is_empty():
        return "no run has the params to compare by; name others with --by"
    have = curves["metric"].unique().sort().to_list()
    if target.metric not in have:
        return f"no run has the metric {target.metric!r}; they have {', '.join(have[:20]) or 'none'}"
    return f"no run has an evaluation of {target.metric!r} that counts; compare others with --where"
