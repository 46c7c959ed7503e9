"""Verdicts: what each run of a frame did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import polars as pl

from grokscope.schemas import Pattern, Transition, Verdict, held_out
from grokscope.transitions.curves.series import Curve, curves_by_run
from grokscope.transitions.events.divergence import divergence_of
from grokscope.transitions.events.double_descent import double_descent
from grokscope.transitions.events.excursions import recovery_of, slingshots_of
from grokscope.transitions.events.phase_change import is_turn_of_epoch, phase_changes, phase_changes_of
from grokscope.transitions.events.records import DETECTOR, VERSION, Origin
from grokscope.transitions.verdict.analysis import RunAnalysis, analyse
from grokscope.transitions.verdict.definitions import NATIVE, Definition, definition_of
from grokscope.transitions.verdict.delay import delay_between
from grokscope.transitions.verdict.evidence import checks_of
from grokscope.transitions.verdict.reasons import what_is_missing, why_other

_OUTCOMES = ("train/", "val/", "test/")
"""Families of the curves that tell what a run achieved; each dates its own phase changes."""
_OPEN_TO_PHASE_CHANGES = (Pattern.COMPREHENSION, Pattern.CONFUSION, Pattern.OTHER)


def detect(points: pl.DataFrame, *, definition: str = NATIVE) -> list[Verdict]:
    """Return what each run did: one verdict a run, sorted by run id.

    Works on the log of a run that still goes on: what is not in the log yet is not claimed.

    Args:
        points: Any frame that ``grokscope.schemas.as_points`` accepts; many runs, any order, any metrics.
        definition: Whose grokking step ``midpoint`` is, see ``DEFINITIONS``.

    Returns:
        Verdicts; a run that cannot be judged is ``other`` and ``missing`` says why.

    Raises:
        InvalidPointsError: If ``points`` is no frame of points.
        UnknownDefinitionError: If there is no such definition.

    >>> frame = pl.DataFrame({"metric": ["train/loss"], "step": [0], "value": [1.0]})
    >>> detect(frame)[0].pattern
    <Pattern.OTHER: 'other'>
    """
    rule = definition_of(definition)
    return [verdict_of(run, curves, rule) for run, curves in sorted(curves_by_run(points).items())]


def analysis_of(curves: Mapping[str, Curve]) -> RunAnalysis | None:
    """Return what a run's accuracies show, or ``None`` if they cannot be read."""
    train, test = curves.get("train/accuracy"), _held_out(curves)
    if train is None or test is None or why_other(train, test) is not None:
        return None
    return analyse(train, test)


def verdict_of(run: str, curves: Mapping[str, Curve], rule: Definition) -> Verdict:
    """Return what one run did; ``curves`` are its own, by canonical name."""
    detector = f"{DETECTOR} {VERSION}"
    base = Verdict(run=run, pattern=Pattern.OTHER, definition=rule.name, detector=detector)
    origin = Origin(run_id=run, definition=rule.name)
    found = [*_common_events(origin, curves)]
    analysis = analysis_of(curves)
    if analysis is None:
        reason = why_other(curves.get("train/accuracy"), _held_out(curves))
        found.extend(_phase_changes(origin, curves))
        if (descent := double_descent(curves)) is not None:
            found.append(descent.event(origin))
        return replace(base, transitions=_in_order(found), missing=() if reason is None else (reason,))
    found.extend(_events(origin, analysis, curves, rule))
    if analysis.pattern in _OPEN_TO_PHASE_CHANGES:
        found.extend(_phase_changes(origin, curves, dated={event.metric for event in found}))
    return replace(_dated(base, analysis, curves, rule), transitions=_in_order(found))


def _dated(base: Verdict, analysis: RunAnalysis, curves: Mapping[str, Curve], rule: Definition) -> Verdict:
    rise, memorized = analysis.generalization, analysis.fit.memorized
    midpoint = rule.date(analysis) if rise is not None else None
    return replace(
        base,
        pattern=analysis.pattern,
        in_progress=analysis.is_in_progress,
        memorized=memorized,
        onset=None if rise is None else rise.onset,
        midpoint=midpoint,
        generalized=analysis.generalized,
        delay=delay_between(memorized, midpoint, curves=curves),
        missing=tuple(what_is_missing(analysis.fit, analysis.rise, test=analysis.test)),
    )


def _held_out(curves: Mapping[str, Curve]) -> Curve | None:
    """Return the held-out accuracy that the run is judged by."""
    name = held_out({name: len(curve) for name, curve in curves.items()}, "accuracy")
    return None if name is None else curves[name]


def _events(
    origin: Origin, analysis: RunAnalysis, curves: Mapping[str, Curve], rule: Definition
) -> Sequence[Transition]:
    rise, train, test = analysis.generalization, analysis.train, analysis.test
    date = None if rise is None else rule.date(analysis)
    found = [analysis.fit.event(origin, train.metric)]
    if rise is not None and date is not None:
        evidence = checks_of(rise, analysis.fit, train=train, curves=curves, test=test)
        found.append(rise.event(origin, test.metric, date, evidence=evidence))
    if analysis.collapse is not None:
        found.append(analysis.collapse.event(origin))
    else:
        found.extend(_excursions(origin, analysis))
    if rise is None and (descent := double_descent(curves)) is not None:
        found.append(descent.event(origin))
    return [event for event in found if event is not None]


def _excursions(origin: Origin, analysis: RunAnalysis) -> Sequence[Transition]:
    """Return what was lost and came back; in a collapsed run that is part of the collapse."""
    slingshot = slingshots_of(analysis.train, fitted_step=analysis.fit.fitted_step)
    done = analysis.generalized
    recovery = None if done is None else recovery_of(analysis.test, generalized=done)
    return [found.event(origin) for found in (slingshot, recovery) if found is not None]


def _common_events(origin: Origin, curves: Mapping[str, Curve]) -> Sequence[Transition]:
    """Return the events that any run can have, whatever it learned."""
    diverged = divergence_of(c for name, c in curves.items() if name.endswith(("/loss", "/accuracy")))
    return () if diverged is None else (diverged.event(origin),)


def _phase_changes(
    origin: Origin, curves: Mapping[str, Curve], *, dated: Collection[str] = ()
) -> Sequence[Transition]:
    """Return the phase changes of curves that are not ``dated``: each outcome's own, one of all others."""
    outcomes = {name for name in curves if name.startswith(_OUTCOMES)}
    alone = [change for name in sorted(outcomes - set(dated)) for change in phase_changes_of(curves[name])]
    others = phase_changes([c for name, c in curves.items() if name not in outcomes and name not in dated])
    epochs = curves.get("progress/epochs")
    found = [change for change in (*alone, *others) if not is_turn_of_epoch(change, epochs)]
    return [change.event(origin) for change in found]


def _in_order(found: Sequence[Transition]) -> tuple[Transition, ...]:
    return tuple(sorted(found, key=lambda event: (event.step, event.kind)))
