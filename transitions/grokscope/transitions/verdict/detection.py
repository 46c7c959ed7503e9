"""Verdicts: what each run of a frame did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from grokscope.schemas import CurveOutcome, Pattern, Transition, Verdict, score_of
from grokscope.schemas.frames import DATES_IN_THOUSANDTHS, fractional_runs
from grokscope.schemas.metrics.evaluations import is_evaluation
from grokscope.schemas.workers import HERE, Workers, values
from grokscope.transitions.curves.levels import end_level
from grokscope.transitions.curves.plateau import MIDPOINT
from grokscope.transitions.curves.series import Curve, curves_by_run, running_median
from grokscope.transitions.events.divergence import divergence_of
from grokscope.transitions.events.double_descent import double_descent_of
from grokscope.transitions.events.excursions import dip_of, recovery_of, slingshots_of
from grokscope.transitions.events.overfitting import overfitting_of
from grokscope.transitions.events.phase_change import is_turn_of_epoch, phase_changes, phase_changes_of
from grokscope.transitions.events.records import DETECTOR, VERSION, Origin
from grokscope.transitions.verdict.analysis import RunAnalysis, analyse
from grokscope.transitions.verdict.definitions import NATIVE, Definition, definition_of
from grokscope.transitions.verdict.delay import delay_between
from grokscope.transitions.verdict.evidence import checks_of
from grokscope.transitions.verdict.pairs import HeldOut, Scored, held_out_scores, pairs_of, scored
from grokscope.transitions.verdict.reasons import WITH_DELAY, what_is_missing, why_other, why_unreadable

_OUTCOMES = ("train/", "val/", "test/")
"""Families of the curves that tell what a run achieved; each dates its own phase changes."""
_OPEN_TO_PHASE_CHANGES = (Pattern.COMPREHENSION, Pattern.CONFUSION, Pattern.OTHER)


def detect(points: pl.DataFrame, *, definition: str = NATIVE, workers: Workers = HERE) -> list[Verdict]:
    """Return what each run did: one verdict a run, sorted by run id.

    Works on the log of a run that still goes on: what is not in the log yet is not claimed.

    Args:
        points: Any frame that ``grokscope.schemas.as_points`` accepts; many runs, any order, any metrics.
        definition: Whose grokking step ``midpoint`` is, see ``DEFINITIONS``.
        workers: Who judges, a task a run; the verdicts are the same.

    Returns:
        Verdicts; a run that cannot be judged is ``other`` and ``missing`` says why. Where the steps of a run
        are fractions, its dates are in thousandths of them, and ``missing`` says that too.

    Raises:
        InvalidPointsError: If ``points`` is no frame of points.
        UnknownDefinitionError: If there is no such definition.

    >>> frame = pl.DataFrame({"metric": ["train/loss"], "step": [0], "value": [1.0]})
    >>> detect(frame)[0].pattern
    <Pattern.OTHER: 'other'>
    """
    definition_of(definition)  # a wrong name is told before anything is judged
    runs = sorted(curves_by_run(points).items())
    verdicts = values(workers.map(partial(_judged, definition=definition), runs))
    in_thousandths = fractional_runs(points)
    return [
        replace(one, missing=(*one.missing, DATES_IN_THOUSANDTHS)) if one.run in in_thousandths else one
        for one in verdicts
    ]


def _judged(run: tuple[str, Mapping[str, Curve]], *, definition: str) -> Verdict:
    return verdict_of(*run, definition_of(definition))


def analysis_of(curves: Mapping[str, Curve]) -> RunAnalysis | None:
    """Return what a run's headline pair shows, or ``None`` if it has none that can be read."""
    analyses = _analyses(scored(curves))
    return analyses[0] if analyses else None


def verdict_of(run: str, curves: Mapping[str, Curve], rule: Definition) -> Verdict:
    """Return what one run did; ``curves`` are its own, by canonical name."""
    detector = f"{DETECTOR} {VERSION}"
    base = Verdict(run=run, pattern=Pattern.OTHER, definition=rule.name, detector=detector)
    origin = Origin(run_id=run, definition=rule.name)
    shown = scored(curves)
    analyses = _analyses(shown)
    lost = {analysis.test.metric for analysis in analyses if analysis.collapse is not None}
    found = [*_common_events(origin, curves, held_out_scores(shown), lost=lost)]
    for analysis in analyses:
        found.extend(_events(origin, analysis, curves, rule))
    if not analyses or analyses[0].pattern in _OPEN_TO_PHASE_CHANGES:
        dated = {*_judged_with(analyses, curves), *(event.metric for event in found)}
        found.extend(_phase_changes(origin, curves, dated=dated))
    transitions = _in_order(found)
    if not analyses:
        return replace(base, transitions=transitions, missing=tuple(why_other(curves, pairs_of(shown))))
    outcomes = tuple(_outcome(analysis, curves, rule) for analysis in analyses)
    first = outcomes[0]
    return replace(
        base,
        pattern=first.pattern,
        in_progress=analyses[0].is_in_progress,
        memorized=analyses[0].fit.memorized,
        onset=first.onset,
        midpoint=first.midpoint,
        generalized=first.generalized,
        delay=first.delay,
        transitions=transitions,
        missing=first.missing,
        outcomes=outcomes,
    )


def _analyses(shown: Sequence[Scored]) -> list[RunAnalysis]:
    return [analyse(pair) for pair in pairs_of(shown) if why_unreadable(pair) is None]


def _outcome(analysis: RunAnalysis, curves: Mapping[str, Curve], rule: Definition) -> CurveOutcome:
    rise, memorized, test = analysis.generalization, analysis.fit.memorized, analysis.test
    midpoint = rule.date(analysis) if rise is not None else None
    delay = delay_between(memorized, midpoint, curves=curves) if analysis.pattern in WITH_DELAY else None
    smooth = running_median(test.values, width=test.patience | 1)
    return CurveOutcome(
        metric=test.metric,
        split=analysis.split,
        task=analysis.task,
        pattern=analysis.pattern,
        onset=None if rise is None else rise.onset,
        midpoint=midpoint,
        generalized=analysis.generalized,
        delay=delay,
        level=test.level(end_level(test)),
        best=test.level(float(np.max(smooth))),
        missing=tuple(what_is_missing(analysis)),
    )


def _judged_with(analyses: Sequence[RunAnalysis], curves: Mapping[str, Curve]) -> set[str]:
    """Return the curves of the splits that a score tells of: what changes there is dated with it."""
    judged = {"train", *(analysis.split for analysis in analyses if not analysis.task)}
    own = {name for name in curves if name.partition("/")[0] in judged}
    only_losses = all(analysis.is_loss for analysis in analyses)
    return set() if only_losses else own | {analysis.test.metric for analysis in analyses}


def _events(
    origin: Origin, analysis: RunAnalysis, curves: Mapping[str, Curve], rule: Definition
) -> Sequence[Transition]:
    rise, train, test = analysis.generalization, analysis.train, analysis.test
    date = None if rise is None else rule.date(analysis)
    found = [analysis.fit.event(origin, train)]
    if rise is not None and date is not None:
        evidence = checks_of(rise, analysis.fit, train=train, curves=curves, test=test)
        found.append(rise.event(origin, test, date, evidence=evidence))
    if analysis.collapse is not None:
        found.append(analysis.collapse.event(origin))
    else:
        found.extend(_excursions(origin, analysis))
    return [event for event in found if event is not None]


def _excursions(origin: Origin, analysis: RunAnalysis) -> Sequence[Transition]:
    """Return what was lost and came back; in a collapsed run that is part of the collapse."""
    slingshot = slingshots_of(analysis.train, fitted_step=analysis.fit.fitted_step)
    done, rise, test = analysis.generalized, analysis.generalization, analysis.test
    if done is None or rise is None:
        return [] if slingshot is None else [slingshot.event(origin)]
    half_way = rise.begin + MIDPOINT * (rise.top - rise.begin)
    dip = None if slingshot is not None else dip_of(test, generalized=done, level=half_way)
    found = (slingshot, recovery_of(test, generalized=done), dip)
    return [excursion.event(origin) for excursion in found if excursion is not None]


def _common_events(
    origin: Origin, curves: Mapping[str, Curve], held_out: Sequence[HeldOut], *, lost: Collection[str]
) -> Sequence[Transition]:
    """Return the events that any run can have, whatever it learned; those of ``lost`` curves have a cause."""
    found: list[Transition] = []
    diverged = divergence_of(c for name, c in curves.items() if score_of(name) is not None)
    if diverged is not None:
        found.append(diverged.event(origin))
    for score in held_out:
        if score.test.metric in lost:
            continue
        if (descent := double_descent_of(score.test)) is not None:
            found.append(descent.event(origin))
        elif score.train is not None:
            worse = overfitting_of(score.test, train=score.train, counts_by_level=score.counts_by_level)
            found += [] if worse is None else [worse.event(origin)]
    return found


def _phase_changes(
    origin: Origin, curves: Mapping[str, Curve], *, dated: Collection[str] = ()
) -> Sequence[Transition]:
    """Return the phase changes of curves that are not ``dated``: each outcome's own, one of all others."""
    # Of what grokscope measures itself, only what tells of learning: the others have rises of their own.
    curves = {n: c for n, c in curves.items() if n.startswith("progress/") or is_evaluation(n)}
    outcomes = {name for name in curves if name.startswith(_OUTCOMES)}
    alone = [change for name in sorted(outcomes - set(dated)) for change in phase_changes_of(curves[name])]
    others = phase_changes([c for name, c in curves.items() if name not in outcomes and name not in dated])
    epochs = curves.get("progress/epochs")
    found = [change for change in (*alone, *others) if not is_turn_of_epoch(change, epochs)]
    return [change.event(origin) for change in found]


def _in_order(found: Sequence[Transition]) -> tuple[Transition, ...]:
    """Return events by step, those of a curve that several pairs share once."""
    once = {(event.kind, event.metric, event.step): event for event in reversed(found)}
    return tuple(sorted(once.values(), key=lambda event: (event.step, event.kind, event.metric)))
