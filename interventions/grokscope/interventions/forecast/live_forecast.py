"""Will a live run reach the target within its budget, and what is left to spend."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, logit, stdtrit

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.forecast.calibration import (
    LEVEL,
    Calibration,
    calibrate,
    leave_one_configuration_out,
)
from grokscope.interventions.forecast.hazard import FloatArray
from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.landmark_model import (
    AtRisk,
    LandmarkModel,
    at_risk,
    edges_of,
    with_cost,
)
from grokscope.interventions.forecast.landmarks import at_landmark, followed_metrics
from grokscope.interventions.outcomes.costs import costs_of

LEAST_RUNS, LEAST_OF_EACH, LEAST_CONFIGURATIONS = 8, 3, 4
"""A forecast needs so many finished runs, so many that reached and that did not, so many configurations."""
PARTS_OF_BUDGET = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Landmarks of the finished runs, beside what the live run has spent."""
QUARTILES = (0.25, 0.5, 0.75)

_NONE_AT_RISK = "No finished run was at risk at a landmark with the curves of this run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a live run may still do.

    Attributes:
        run_id: The live run.
        spent: Its cost so far, in the history's unit.
        budget: By when the target is to be reached.
        chance: Of reaching it by then; without a value where the forecast is not shown.
        remaining: Further cost until it is reached: the forecast's median and its quartiles (level .5); an
            end is ``None`` where it lies behind the budget.
        baseline: The chance from the params alone; ``None`` where nothing could be fitted.
        calibration: How good such forecasts were on configurations left out; ``None`` with too few runs.
        hidden: Why no chance is shown, with its numbers; ``None`` if it is.
    """

    run_id: str
    spent: float
    budget: float
    chance: Estimate
    remaining: Estimate
    baseline: float | None
    calibration: Calibration | None
    hidden: str | None


def forecast(history: History, live: pl.DataFrame, *, params: pl.DataFrame, budget: float) -> Forecast:
    """Return the chance that a live run reaches the target within a budget, and what it would still cost.

    At landmarks before the end, each finished run shows a level and a slope of its curves; a ridge-penalized
    logistic hazard over the bins from there to the budget (landmarking, van Houwelingen 2007) turns them and
    the params into a chance. It is scored with whole configurations left out, and is hidden unless its Brier
    score beats that of the same hazard from the params alone.

    Args:
        history: Finished runs of the same experiment.
        live: ``CURVES`` of the one live run.
        params: Its row, with the columns of ``history.params``.
        budget: In the history's unit.

    Returns:
        The forecast, or why none is shown. The interval of the chance is a jackknife over configurations, on
        the logit.
    """
    run = str(live["run_id"][0])
    costs = costs_of(live, history.target, unit=history.unit)
    spent = float(costs["spent"][0]) if len(costs) else 0.0
    reason = _refusal(history, costs, budget)
    if reason is not None:
        return _hidden(run, spent, budget, reason)
    landmarks = sorted({*(part * budget for part in PARTS_OF_BUDGET), spent})
    groups = [group for group in at_risk(history, landmarks) if len(group.runs)]
    scored, models = leave_one_configuration_out(history, groups, budget)
    whole = LandmarkModel.fit(groups, history, budget, with_curves=True)
    base = LandmarkModel.fit(groups, history, budget, with_curves=False)
    mine = _live_group(history, live, params, spent)
    if scored.is_empty() or whole is None or base is None or mine is None:
        return _hidden(run, spent, budget, _NONE_AT_RISK)
    found = calibrate(scored)
    baseline = float(base.chance(mine)[0, -1])
    if not found.beats_baseline:
        return _hidden(run, spent, budget, _not_better(found), baseline=baseline, calibration=found)
    by_bin = whole.chance(mine)[0]
    return Forecast(
        run_id=run,
        spent=spent,
        budget=budget,
        chance=_jackknifed(by_bin[-1], np.array([model.chance(mine)[0, -1] for model in models])),
        remaining=_remaining(by_bin, edges_of(spent, budget)),
        baseline=baseline,
        calibration=found,
        hidden=None,
    )


def _refusal(history: History, costs: pl.DataFrame, budget: float) -> str | None:
    """Return why nothing can be forecast, or ``None``."""
    if costs.is_empty():
        return f"The run has no evaluation of {history.target.metric}."
    row = costs.row(0, named=True)
    if row["reached"]:
        return f"The run has reached {history.target} already, between {row['low']:g} and {row['high']:g}."
    if row["spent"] <= 0 or row["spent"] >= budget:
        return f"The run has spent {row['spent']:g} of a budget of {budget:g}: nothing is left to forecast."
    reached = int((history.at.reached & (history.at.high <= budget)).sum())
    missed = int((history.at.low >= budget).sum())
    configurations = len(set(history.configurations))
    if (
        len(history.runs) < LEAST_RUNS
        or min(reached, missed) < LEAST_OF_EACH
        or configurations < LEAST_CONFIGURATIONS
    ):
        return (
            f"{len(history.runs)} finished runs of {configurations} configurations, {reached} of which "
            f"reached {history.target} by {budget:g} and {missed} did not; a forecast needs {LEAST_RUNS} "
            f"runs, {LEAST_CONFIGURATIONS} configurations and {LEAST_OF_EACH} of each."
        )
    return None


def _not_better(found: Calibration) -> str:
    p = "" if found.p is None else f", p = {found.p:.2f}"
    return (
        f"On configurations left out the forecast's Brier score is {found.brier:.3f}, that of the params "
        f"alone {found.baseline_brier:.3f}{p}, that of the share that reached {found.prevalence_brier:.3f}: "
        "the curves add nothing that is sure, so no chance is shown."
    )


def _hidden(
    run: str, spent: float, budget: float, reason: str, **beside: float | Calibration | None
) -> Forecast:
    baseline, calibration = beside.get("baseline"), beside.get("calibration")
    nothing = Estimate(value=None, missing=reason)
    return Forecast(
        run_id=run,
        spent=spent,
        budget=budget,
        chance=nothing,
        remaining=nothing,
        baseline=baseline if isinstance(baseline, float) else None,
        calibration=calibration if isinstance(calibration, Calibration) else None,
        hidden=reason,
    )


def _live_group(history: History, live: pl.DataFrame, params: pl.DataFrame, spent: float) -> AtRisk | None:
    metrics = followed_metrics(history.curves, history.target)
    shown = at_landmark(with_cost(live, history.unit), [str(live["run_id"][0])], metrics, spent)
    if not shown.known[0]:
        return None
    return AtRisk(spent, np.array([0]), shown.features, history.param_features(params))


def _jackknifed(chance: float, without: FloatArray) -> Estimate:
    """Return the chance with the interval of a jackknife over configurations, on the logit."""
    center, others = float(logit(chance)), np.asarray(logit(without), dtype=np.float64)
    n = len(without)
    error = float(np.sqrt((n - 1) / n * ((others - others.mean()) ** 2).sum()))
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * error
    return Estimate(
        value=float(chance),
        low=float(expit(center - half)),
        high=float(expit(center + half)),
        level=LEVEL,
        method="jackknife over configurations, logit",
    )


def _remaining(by_bin: FloatArray, edges: FloatArray) -> Estimate:
    """Return the further cost, linear in its logarithm within a bin: median and quartiles."""
    reached = np.append(0.0, by_bin)
    low, value, high = (
        float(np.exp(np.interp(part, reached, np.log(edges))) - edges[0]) if part <= reached[-1] else None
        for part in QUARTILES
    )
    missing = None
    if high is None:
        missing = (
            f"The chance to reach it by the budget is {reached[-1]:.2f}, so later quantiles lie behind it."
        )
    return Estimate(
        value=value, low=low, high=high, level=0.5, method="quartiles of the hazard", missing=missing
    )
