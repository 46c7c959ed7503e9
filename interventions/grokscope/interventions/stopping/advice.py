"""Should this run be stopped, with the evidence, the error rate, and what a naive rule would have done."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.stopping.evidence import evidence_of
from grokscope.interventions.stopping.judged_curves import JudgedCurves
from grokscope.interventions.stopping.naive import HalvesRule, compare_halves
from grokscope.interventions.stopping.outlook import Outlook, judge
from grokscope.schemas import GrokscopeError, Verdict

DELAYED, DELAYED_STOPPED = 53, 0
"""Recorded runs that grokked later, cut just before the onset, with enough evaluations; called
overfitting."""
OVERFIT, OVERFIT_FOUND = 8, 7
"""Recorded and constructed runs labelled as overfitting; called so. ``benchmarks/stopping.py`` counts
both."""

WORDS: Mapping[Outlook, str] = {
    Outlook.OVERFITTING: "It overfits: stopping it, and keeping its best checkpoint, is defensible.",
    Outlook.MAY_STILL_GENERALIZE: "It may still generalize: what it shows is no ground to stop it.",
    Outlook.IMPROVING: "It still gets better on held-out data: do not stop it.",
    Outlook.GENERALIZES: "It generalizes: nothing was lost, and whether to go on is a matter of budget.",
    Outlook.CANNOT_TELL: "Its curves do not tell overfitting from a delay.",
}
"""What each outlook comes to."""


class OneRunError(GrokscopeError):
    """Curves of more than one run, where one is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Whether stopping a run is defensible, and on what evidence.

    Attributes:
        run_id: The run; ``None`` if the curves name none.
        outlook: What may be said of it; only ``overfitting`` speaks for a stop.
        metric: The held-out curve that decided; ``None`` if there is none.
        because: What decided, in a sentence with its numbers.
        evidence: What else there is to see, a sentence each.
        naive: What comparing the halves of the curve says.
        error_rate: How often such advice was wrong where the answer is known.
    """

    run_id: str | None
    outlook: Outlook
    metric: str | None
    because: str
    evidence: tuple[str, ...]
    naive: HalvesRule
    error_rate: str

    @property
    def may_stop(self) -> bool:
        """Whether stopping is defensible."""
        return self.outlook is Outlook.OVERFITTING

    def __str__(self) -> str:
        """Return the advice as a paragraph."""
        word = "would stop it" if self.naive.would_stop else "would not stop it"
        naive = f"Comparing halves {word}: {self.naive.because}."
        return " ".join((WORDS[self.outlook], self.because, *self.evidence, naive, self.error_rate))


def advice_on(
    curves: pl.DataFrame, *, params: Mapping[str, str] | None = None, verdict: Verdict | None = None
) -> Advice:
    """Return whether to stop a run: overfitting, or a generalization that is late and may still come.

    Overfitting is a held-out accuracy that had learned and fell for good, or a held-out loss that fell
    together with the training loss and then rose, while the accuracy won nothing more and training went on.
    Delayed generalization looks else: the held-out accuracy rests and the held-out loss rises without ever
    having fallen with training. The thresholds are in ``changes`` and ``outlook``.

    Args:
        curves: ``metric, step, value`` and maybe ``run_id`` of one run, by any logger's names.
        params: The run's params as they were logged; they are evidence and decide nothing.
        verdict: What the detector says of the run; evidence, too.

    Returns:
        The advice; ``cannot tell`` with its reason where the held-out curve has fewer than eight
        evaluations, is no number at the end, where training has no curve, broke, or has learned nothing yet.

    Raises:
        OneRunError: If the curves are of several runs.

    >>> from grokscope.interventions.stopping.synthetic import draw_run
    >>> advice_on(draw_run("delayed", 0)).outlook, advice_on(draw_run("overfitting", 2)).outlook
    (<Outlook.MAY_STILL_GENERALIZE: 'may still generalize'>, <Outlook.OVERFITTING: 'overfitting'>)
    """
    column = next((name for name in ("run_id", "run") if name in curves.columns), None)
    runs = [] if column is None else curves[column].unique().sort().to_list()
    if len(runs) > 1:
        raise OneRunError(
            f"advice is on one run, got {len(runs)}: {', '.join(runs[:3])} …; filter by {column}"
        )
    found = JudgedCurves.of(curves)
    judgement = judge(found)
    return Advice(
        run_id=runs[0] if runs else None,
        outlook=judgement.outlook,
        metric=None if judgement.curve is None else judgement.curve.metric,
        because=judgement.because,
        evidence=evidence_of(found, params, verdict),
        naive=compare_halves(found),
        error_rate=error_rate_of(judgement.outlook),
    )


def error_rate_of(outlook: Outlook) -> str:
    """Return how often advice of this kind was wrong on runs with a known answer, with its exact limits.

    >>> error_rate_of(Outlook.GENERALIZES)
    'This advice stops no run.'
    """
    if outlook is Outlook.OVERFITTING:
        _, high = clopper_pearson(DELAYED_STOPPED, DELAYED)
        counted = (
            f"Of {DELAYED} recorded runs that grokked later, {DELAYED_STOPPED} were called so just before"
        )
        return f"{counted} (at most {high:.0%}, 95 %); epoch-wise double descent can still bring a run back."
    if outlook is Outlook.MAY_STILL_GENERALIZE:
        low, high = clopper_pearson(OVERFIT_FOUND, OVERFIT)
        found = (
            f"{OVERFIT_FOUND} of {OVERFIT} labelled overfitting runs are told ({low:.0%} to {high:.0%}, 95 %)"
        )
        return f"{found}; labels learned by heart look like this, too, so a run may wait in vain."
    return "This advice stops no run."
