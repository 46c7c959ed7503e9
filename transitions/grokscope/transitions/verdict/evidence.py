"""Is it really grokking? Checks on a generalization that pass, fail or cannot tell."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from grokscope.schemas import Check
from grokscope.transitions.curves.series import Curve, running_median
from grokscope.transitions.events.collapse import dips_of
from grokscope.transitions.events.completion import LOST
from grokscope.transitions.events.generalization import SHORT_WAIT, Rise
from grokscope.transitions.events.memorization import FITTED, Fit
from grokscope.transitions.events.stages import rests_of
from grokscope.transitions.verdict.continuous import lead, no_artefact
from grokscope.transitions.verdict.pattern import is_delayed, wait_of

RECOVERY_SHARE = 0.8
"""Held-out accuracy before the train fit, as a share of the final one, that makes a late rise a recovery
(arXiv:2605.27078 shows a published example)."""
KEPT_SHARE = 0.95
"""Share of the evaluations since memorization at which train accuracy has to be up."""


def checks_of(
    rise: Rise, fit: Fit, *, train: Curve, curves: Mapping[str, Curve], test: Curve
) -> tuple[Check, ...]:
    """Return the checks on the rise of ``test``: is it grokking?

    Args:
        rise: The rise.
        fit: How the training set was fit.
        train: Train accuracy.
        curves: Everything that the run logged, for what is continuous in it.
        test: Held-out accuracy.
    """
    return (
        _sustained(fit, train),
        _plateau(rise, test),
        _delayed(rise, fit, test),
        _no_recovery(rise, fit, test),
        lead(rise.onset, curves=curves, test=test),
        no_artefact(rise, curves=curves, test=test),
        _stays(rise, test),
        _stages(rise, test),
    )


def _sustained(fit: Fit, train: Curve) -> Check:
    check = partial(Check.of, "train fit sustained")
    if fit.fitted_step is None:
        return check(f"{train.metric} is not fit", holds=None)
    kept = float(np.mean(train.values[train.steps >= fit.fitted_step] >= LOST * fit.ceiling))
    seen = (
        f"{kept:.0%} of the evaluations since the fit at {train.said(LOST * fit.ceiling)} or {train.better}"
    )
    return check(seen, holds=kept >= KEPT_SHARE)


def _plateau(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "plateau before")
    if rise.onset is None:
        return check("the level before the rise is not in the log", holds=None)
    waited = int(np.sum((test.steps >= test.steps[rise.start]) & (test.steps <= rise.onset.low)))
    seen = f"{test.said(rise.plateau)} over {_many(waited, 'evaluation')}, then {test.said(rise.top)}"
    return check(seen, holds=waited >= SHORT_WAIT)


def _delayed(rise: Rise, fit: Fit, test: Curve) -> Check:
    check = partial(Check.of, "delayed")
    if fit.fitted_step is None:
        return check("the training set is not fit", holds=None)
    wait = wait_of(fit.fitted_step, rise, test)
    level = f"{test.said(wait.level)} at the fit, {test.said(rise.top)} in the end"
    since = f"step {fit.fitted_step:,.0f}, where the fit was {FITTED:.0%} done"
    when = f"complete at {wait.ratio:.1f} times {since}" if np.isfinite(wait.ratio) else "fit at 0"
    return check(f"{level}; {when}", holds=is_delayed(fit.fitted_step, rise, test))


def _no_recovery(rise: Rise, fit: Fit, test: Curve) -> Check:
    check = partial(Check.of, "no recovery")
    early = np.empty(0) if fit.fitted_step is None else test.values[test.steps < fit.fitted_step]
    if len(early) == 0:
        return check("no evaluation before the fit", holds=None)
    highest = float(np.max(running_median(early, width=3)))
    seen = f"{test.said(highest)} at best before the fit, {test.said(rise.top)} after the rise"
    return check(seen, holds=highest < RECOVERY_SHARE * rise.top)


def _stays(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "stays")
    if rise.completed is None:
        return check("the rise is not complete", holds=None)
    dips = dips_of(test.values[test.steps >= rise.completed.high], level=rise.lost_below)
    below = f"{test.worse} {test.said(rise.lost_below)} since"
    return check(f"{_many(dips, 'dip')} {below}" if dips else f"never {below}", holds=not dips)


def _stages(rise: Rise, test: Curve) -> Check:
    check = partial(Check.of, "stages")
    if rise.onset is None:
        return check("the onset is not in the log", holds=None)
    rests = rests_of(rise, test)
    listed = ", ".join(f"at {test.said(r.level)} from step {r.begin} to {r.end}" for r in rests)
    return check(f"{len(rests) + 1} rises, resting {listed}" if rests else "one rise", holds=True)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
