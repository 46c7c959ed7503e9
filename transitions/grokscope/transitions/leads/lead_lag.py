"""Which measure moved first: lead of all that a run logged against its generalization, and pooled over runs.

In hindsight: a measure's change is known only at the end, so this ranks measures and is no rule for an alarm.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from grokscope.schemas import Verdict
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.curves.plateau import MIDPOINT, ONSET
from grokscope.transitions.curves.s_curve import crossings
from grokscope.transitions.curves.series import Curve, Floats, curves_by_run, median, running_median

LEAST_SIGNAL = 5.0
"""A measure has changed if it did so by so many standard deviations of its noise."""
LEAST_EVALUATIONS = 8
EXACT = 12
"""Up to so many configurations every sign is tried; beyond, ``DRAWS`` of them."""
DRAWS = 10_000

LEADS = pl.Schema(
    {
        "run_id": pl.String(),
        "metric": pl.String(),
        "lead_onset": pl.Float64(),
        "lead_midpoint": pl.Float64(),
    }
)
"""Columns of ``lead_lag``: leads in units of the delay, positive where the measure moves first."""
POOLED = pl.Schema(
    {
        "metric": pl.String(),
        "runs": pl.Int64(),
        "configurations": pl.Int64(),
        "median": pl.Float64(),
        "p_value": pl.Float64(),
        "q_value": pl.Float64(),
        "lowest": pl.Float64(),
        "highest": pl.Float64(),
        "worst_p_value": pl.Float64(),
    }
)
"""Columns of ``pooled_leads``: ``q_value`` is adjusted for how many measures there are; ``lowest``,
``highest`` and ``worst_p_value`` are over all sets that leave one configuration out; null without any."""


def lead_lag(points: pl.DataFrame, verdicts: Sequence[Verdict]) -> pl.DataFrame:
    """Return by how much each measure leads the generalization of each run, in units of the delay.

        lead_q = (t_q(accuracy) - t_q(measure)) / (midpoint - memorization)

    where t_q is the step at which q of the change since memorization is done: 10 % and 50 %.

    Args:
        points: Any frame that ``grokscope.schemas.as_points`` accepts.
        verdicts: Of the same runs; those without onset, midpoint and a positive delay are left out.

    Returns:
        Columns of ``LEADS``. Measures that hardly change after memorization are left out.

    >>> lead_lag(pl.DataFrame({"metric": ["train/loss"], "step": [0], "value": [1.0]}), []).height
    0
    """
    judged = {verdict.run: verdict for verdict in verdicts}
    rows: list[tuple[str, str, float, float]] = []
    for run, curves in curves_by_run(points).items():
        verdict = judged.get(run)
        if verdict is None or verdict.delay is None or verdict.delay.steps <= 0 or verdict.onset is None:
            continue
        for metric, curve in curves.items():
            moved = None if _is_outcome(metric) else _moved(curve, verdict)
            if moved is not None:
                rows.append((run, metric, *moved))
    return pl.DataFrame(rows, schema=LEADS, orient="row")


def pooled_leads(leads: pl.DataFrame, configurations: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return each measure's median lead at the midpoint over all runs, and how far to trust it.

    The p-value is that of a permutation: if a measure neither leads nor lags, the leads of a configuration
    could as well have the other sign. Runs of one configuration turn together, because seeds share everything
    else; with k configurations no p-value is below 2 / 2^k. The q-value is the p-value adjusted for all
    measures at once (Benjamini and Hochberg 1995): of those with q ≤ 0.05 one in twenty leads by chance.

    Args:
        leads: What ``lead_lag`` returns.
        configurations: Run -> configuration; by default each run is its own.

    Returns:
        Columns of ``POOLED``, largest lead first.

    >>> rows = [(run, "test/mrr", 0.3, lead) for run, lead in (("a", 0.2), ("b", 0.1), ("c", 0.3))]
    >>> found = pooled_leads(pl.DataFrame(rows, schema=LEADS, orient="row"))
    >>> found.select("median", "p_value", "lowest", "worst_p_value").row(0)
    (0.2, 0.25, 0.15000000000000002, 0.5)
    >>> found["q_value"].to_list()
    [0.25]
    """
    named = configurations or {}
    rows: list[tuple[str, int, int, float, float, float | None, float | None, float | None]] = []
    for metric in leads["metric"].unique(maintain_order=True).to_list():
        part = leads.filter(pl.col("metric") == metric)
        groups: dict[str, list[float]] = {}
        for run, lead in part.select("run_id", "lead_midpoint").iter_rows():
            groups.setdefault(str(named.get(run, run)), []).append(lead)
        arms: list[Floats] = [np.array(group, dtype=np.float64) for _, group in sorted(groups.items())]
        left = [arms[:i] + arms[i + 1 :] for i in range(len(arms))] if len(arms) > 1 else []
        medians, worst = [_median(some) for some in left], max((_p_value(s) for s in left), default=None)
        ends = (min(medians, default=None), max(medians, default=None))
        rows.append((str(metric), part.height, len(arms), _median(arms), _p_value(arms), *ends, worst))
    columns = [name for name in POOLED if name != "q_value"]
    found = pl.DataFrame(rows, schema={name: POOLED[name] for name in columns}, orient="row")
    adjusted = _adjusted(found["p_value"].to_numpy()) if rows else np.empty(0)
    pooled = found.with_columns(q_value=pl.Series(adjusted, dtype=pl.Float64)).select(POOLED.names())
    return pooled.sort("median", descending=True)


def _adjusted(p_values: Floats) -> Floats:
    """Return q-values, shape (n,)."""
    from scipy import stats  # noqa: PLC0415  half a second, which runs without leads need not wait

    return np.asarray(stats.false_discovery_control(p_values), dtype=np.float64)


def _is_outcome(metric: str) -> bool:
    return metric.endswith("/accuracy") or metric.startswith("progress/")


def _moved(curve: Curve, verdict: Verdict) -> tuple[float, float] | None:
    """Return the leads of one measure at 10 % and 50 % of its change, or ``None`` if it hardly changes."""
    start, onset, midpoint = verdict.memorized, verdict.onset, verdict.midpoint
    if start is None or onset is None or midpoint is None or verdict.delay is None:
        return None
    since = curve.steps >= start.step
    steps, raw = curve.steps[since], curve.values[since]
    if len(raw) < LEAST_EVALUATIONS:
        return None
    values = running_median(raw, width=3)
    begin, end = median(values[:2]), median(values[-3:])
    if abs(end - begin) <= max(LEAST_SIGNAL * jitter(raw), 1e-12):
        return None
    risen = (values - begin) / (end - begin)
    crossed = np.minimum(crossings(risen, np.array([ONSET, MIDPOINT]), height=1.0), len(steps) - 1)
    early, half = (int(steps[i]) for i in crossed)
    return (
        (onset.step - early) / verdict.delay.steps,
        (midpoint.step - half) / verdict.delay.steps,
    )


def _median(arms: Sequence[Floats]) -> float:
    return median(np.concatenate(arms))


def _p_value(arms: Sequence[Floats]) -> float:
    """Return the two-sided permutation p-value of the sum of the configurations' mean leads."""
    means = np.asarray([float(np.mean(arm)) for arm in arms], dtype=np.float64)
    signs = _signs(len(means))
    sums: Floats = np.abs(signs @ means)
    return float(np.count_nonzero(sums >= sums[0] * (1 - 1e-12)) / len(sums))


def _signs(count: int) -> Floats:
    """Return every choice of signs, shape (2^count, count), or ``DRAWS``; the first is all positive."""
    if count <= EXACT:
        return np.array(list(itertools.product((1.0, -1.0), repeat=count)), dtype=np.float64)
    signs = np.asarray(np.random.default_rng(0).choice([1.0, -1.0], size=(DRAWS, count)), dtype=np.float64)
    signs[0] = 1.0
    return signs
