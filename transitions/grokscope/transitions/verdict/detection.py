"""Verdicts: what each run of a frame did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import polars as pl

from grokscope.schemas import Pattern, Transition, Verdict
from grokscope.transitions.curves.series import Curve, curves_by_run
from grokscope.transitions.events import records as events
from grokscope.transitions.events.divergence import divergence_of
from grokscope.transitions.events.double_descent import double_descent
from grokscope.transitions.events.excursions import recovery_of, slingshots_of
from grokscope.transitions.events.phase_change import is_turn_of_epoch, phase_changes, phase_changes_of
from grokscope.transitions.verdict.analysis import Reading, read
from grokscope.transitions.verdict.definitions import NATIVE, Definition, definition_of
from grokscope.transitions.verdict.delay import delay_between
from grokscope.transitions.verdict.evidence import findings
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


def reading_of(curves: Mapping[str, Curve]) -> Reading | None:
    """Return what a run's accuracies show, or ``None`` if they cannot be read."""
    train, test = curves.get("train/accuracy"), _outcome(curves)
    if train is None or test is None or why_other(train, test) is not None:
        return None
    return read(train, test)


def verdict_of(run: str, curves: Mapping[str, Curve], rule: Definition) -> Verdict:
    """Return what one run did; ``curves`` are its own, by canonical name."""
    detector = f"{events.DETECTOR} {events.VERSION}"
    base = Verdict(run=run, pattern=Pattern.OTHER, definition=rule.name, detector=detector)
    origin = events.Origin(run_id=run, definition=rule.name)
    found = [*_common_events(origin, curves)]
    reading = reading_of(curves)
    if reading is None:
        reason = why_other(curves.get("train/accuracy"), _outcome(curves))
        found.extend(_phase_changes(origin, curves))
        if (descent := double_descent(curves)) is not None:
            found.append(events.descent(origin, descent))
        return replace(base, transitions=_in_order(found), missing=() if reason is None else (reason,))
    found.extend(_events(origin, reading, curves, rule))
    if reading.pattern in _OPEN_TO_PHASE_CHANGES:
        found.extend(_phase_changes(origin, curves, dated={event.metric for event in found}))
    return replace(_told(base, reading, curves, rule), transitions=_in_order(found))


def _told(base: Verdict, reading: Reading, curves: Mapping[str, Curve], rule: Definition) -> Verdict:
    rise, memorized = reading.generalization, reading.fit.memorized
    midpoint = rule.date(reading) if rise is not None else None
    return replace(
        base,
        pattern=reading.pattern,
        in_progress=reading.is_in_progress,
        memorized=memorized,
        onset=None if rise is None else rise.onset,
        midpoint=midpoint,
        generalized=reading.generalized,
        delay=delay_between(memorized, midpoint, curves=curves),
        missing=tuple(what_is_missing(reading.fit, reading.rise, test=reading.test)),
    )


def _outcome(curves: Mapping[str, Curve]) -> Curve | None:
    """Return the held-out accuracy: of the test set, or of the validation set if that one has no curve."""
    found = [c for name in ("test/accuracy", "val/accuracy") if (c := curves.get(name)) is not None]
    return max(found, key=lambda curve: min(len(curve), 2), default=None)


def _events(
    origin: events.Origin, reading: Reading, curves: Mapping[str, Curve], rule: Definition
) -> Sequence[Transition]:
    rise, train, test = reading.generalization, reading.train, reading.test
    found = [events.memorization(origin, train.metric, reading.fit)]
    if rise is not None:
        evidence = findings(rise, reading.fit, train=train, curves=curves, test=test)
        found.append(
            events.generalization(origin, test.metric, rise, date=rule.date(reading), evidence=evidence)
        )
    if reading.collapse is not None:
        found.append(events.collapse(origin, reading.collapse))
    else:
        found.extend(_excursions(origin, reading))
    if rise is None and (descent := double_descent(curves)) is not None:
        found.append(events.descent(origin, descent))
    return [event for event in found if event is not None]


def _excursions(origin: events.Origin, reading: Reading) -> Sequence[Transition]:
    """Return what was lost and came back; in a collapsed run that is part of the collapse."""
    slingshot = slingshots_of(reading.train, fitted_step=reading.fit.fitted_step)
    done = reading.generalized
    recovery = None if done is None else recovery_of(reading.test, generalized=done)
    return [
        *([] if slingshot is None else [events.slingshot(origin, slingshot)]),
        *([] if recovery is None else [events.recovery(origin, recovery)]),
    ]


def _common_events(origin: events.Origin, curves: Mapping[str, Curve]) -> Sequence[Transition]:
    """Return the events that any run can have, whatever it learned."""
    diverged = divergence_of(c for name, c in curves.items() if name.endswith(("/loss", "/accuracy")))
    return () if diverged is None else (events.divergence(origin, diverged),)


def _phase_changes(
    origin: events.Origin, curves: Mapping[str, Curve], *, dated: Collection[str] = ()
) -> Sequence[Transition]:
    """Return the phase changes: of each outcome by itself unless it is ``dated``, of all others together."""
    outcomes = {name for name in curves if name.startswith(_OUTCOMES)}
    alone = [change for name in sorted(outcomes - set(dated)) for change in phase_changes_of(curves[name])]
    others = phase_changes([curve for name, curve in curves.items() if name not in outcomes])
    epochs = curves.get("progress/epochs")
    found = [change for change in (*alone, *others) if not is_turn_of_epoch(change, epochs)]
    return [events.phase_change(origin, change) for change in found]


def _in_order(found: Sequence[Transition]) -> tuple[Transition, ...]:
    return tuple(sorted(found, key=lambda event: (event.step, event.kind)))
