"""The probability that a run reaches the target within a budget."""

from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.beta_product import Passages


def reached_by(costs: CensoredCosts, budget: float, *, level: float = 0.95) -> Estimate:
    """Return the probability of reaching the target at a cost of at most ``budget``.

    The outcome of a run that was watched up to the budget is known. One that ended earlier without the
    target, or passed it between two evaluations on either side of the budget, is open: the low end takes all
    open runs for failures, the high end for successes, and the value shares them out as Kaplan and Meier do.

    Args:
        costs: Of one group.
        budget: In the unit of the costs.
        level: Share of such intervals that cover.

    Returns:
        Successes over runs where nothing is open. ``missing`` counts what is open; no value where nobody was
        watched long enough.

    Source: Clopper and Pearson 1934. Exact: it covers at least as often as ``level`` says.

    >>> import numpy as np
    >>> costs = CensoredCosts(np.array([0.0, 100.0, 500.0, 500.0]), np.array([100.0, 200.0, np.inf, np.inf]))
    >>> by = reached_by(costs, 300)
    >>> by.value, round(by.low, 3), round(by.high, 3), by.missing
    (0.5, 0.068, 0.932, None)
    """
    runs = costs.at.size
    if runs == 0:
        return Estimate(value=None, level=level, missing="there are no runs")
    success, failure = costs.high <= budget, costs.low >= budget
    successes, still_open = int(success.sum()), int((~success & ~failure).sum())
    low, _ = clopper_pearson(successes, runs, level=level)
    _, high = clopper_pearson(successes + still_open, runs, level=level)
    value, reason = _value(costs, budget)
    if still_open:
        counted = (
            f"{still_open} of {runs} runs are open at {budget:g}: the low end takes them for failures, the "
            "high end for successes"
        )
        reason = counted if reason is None else f"{counted}; {reason}"
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        level=level,
        method="Clopper-Pearson",
        missing=reason,
    )


def _value(costs: CensoredCosts, budget: float) -> tuple[float | None, str | None]:
    at = costs.at
    last = float(at.max())
    if last < budget and not costs.reached[at == last].all():
        return None, f"no value: the last run ended without the target at {last:g}"
    share = Passages.seen(costs).until(budget).share()
    return 1 - float(share[-1]) if share.size else 0.0, None
