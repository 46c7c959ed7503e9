"""What a run did, in sentences that hold for any curve: a score, a loss, an error or a reward."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grokscope.dashboard.words.dates import DATES, date_of
from grokscope.dashboard.words.patterns import divergence_of
from grokscope.dashboard.words.phrases import dated, level, steps, times
from grokscope.schemas import (
    CurveOutcome,
    Date,
    Decision,
    Kind,
    Pattern,
    Status,
    Transition,
    Verdict,
    score_of,
)

_MOST_NAMED = 2
_TOO_LITTLE = "There is not enough in the log to judge this run."
_SHORT = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEnd:
    """The training curve beside a held-out one.

    Attributes:
        metric: The curve.
        level: At the end of the log, in the metric's unit.
        is_same_score: Both curves show one score, so that their levels can be compared.
        held_out_first: The first level of the held-out curve; ``None`` if it is not known.
    """

    metric: str
    level: float
    is_same_score: bool
    held_out_first: float | None = None


_NONE: Mapping[str, TrainingEnd] = {}


def sentence(verdict: Verdict, *, trained: Mapping[str, TrainingEnd] = _NONE) -> str:
    """Return what a run did, in a few sentences.

    Args:
        verdict: Of the run.
        trained: Held-out curve -> the training curve that it was judged with, where it is known.

    >>> ours = CurveOutcome(
    ...     metric="val/f1", split="val", pattern=Pattern.COMPREHENSION, level=0.886, best=0.9
    ... )
    >>> verdict = Verdict(run="a", pattern=Pattern.COMPREHENSION, outcomes=[ours])
    >>> sentence(verdict, trained={"val/f1": TrainingEnd(metric="train/f1", level=1.0, is_same_score=True)})
    'val/f1 rose together with train/f1, to 0.886 (0.9 at best; train/f1 1, gap 0.11).'
    """
    return " ".join(part for part in (*_told(verdict, trained), *_events_told(verdict, trained)) if part)


def note(verdict: Verdict, *, trained: Mapping[str, TrainingEnd] = _NONE) -> str:
    """Return the line that a table has for a run: how far it came, or why it is not judged; else ``""``.

    >>> note(Verdict(run="a", pattern=Pattern.OTHER, missing=["There is one value. It is 3."]))
    'There is one value.'
    """
    said: list[str] = []
    diverged = divergence_of(verdict)
    if verdict.pattern is Pattern.OTHER and diverged is None:
        said.append(_first_sentence(verdict.missing[0] if verdict.missing else _TOO_LITTLE))
    elif verdict.pattern is Pattern.COMPREHENSION and verdict.outcomes:
        first = verdict.outcomes[0]
        said.append(f"{first.metric} {_levels(first, trained)}.")
    since = [f"{event.metric} since its best at step {steps(event.step)}" for event in _overfit(verdict)]
    said += [f"Overfitting: {_listed(since)}."] if since else []
    changed = [f"{event.metric} at step {steps(event.step)}" for event in _phase_changes(verdict)]
    said += [f"Phase change: {_listed(changed)}."] if changed else []
    if diverged is not None:
        said.append(_first_sentence(_diverged(verdict, trained, diverged)))
    return " ".join(said)


def _first_sentence(text: str) -> str:
    """Return the first sentence, without its last clause where it is long."""
    first = text.partition(". ")[0].rstrip(".")
    cut = max(first.rfind(mark, 0, _SHORT) for mark in (": ", "; ", ", ")) if len(first) > _SHORT else 0
    return f"{first[:cut] if cut > 0 else first}."


def _told(verdict: Verdict, trained: Mapping[str, TrainingEnd]) -> Iterator[str]:
    """Yield what the pattern means for the curves of this run."""
    first = verdict.outcomes[0] if verdict.outcomes else None
    held_out = first.metric if first is not None else "the held-out curve"
    train = _training_curve(verdict, trained)
    end = f" ({level(first.level)} in the end)" if first is not None and first.level is not None else ""
    match verdict.pattern:
        case Pattern.GROKKING:
            yield _fit(verdict, train)
            yield f"{_capital(held_out)} {_moved(held_out)} clearly later{_to(verdict, trained)}."
            yield _dates(verdict) + _delay(verdict)
        case Pattern.COMPREHENSION:
            yield f"{_together(held_out, train)}{_to(verdict, trained)}."
            yield _dates(verdict)
        case Pattern.MEMORIZATION:
            yield _fit(verdict, train) or "The training set was fit."
            if _is_rejected(verdict):
                yield f"A person rejected its completion, so {held_out} does not count as generalized{end}."
                return
            yield f"{_capital(held_out)} did not move clearly from where it began{end}."
        case Pattern.CONFUSION:
            yield f"Neither {train} nor {held_out} left where it began{end}."
        case Pattern.COLLAPSE:
            yield _fit(verdict, train)
            yield _dates(verdict)
            yield _lost(verdict) or "Then what was learned was lost again."
        case Pattern.OTHER:
            # Why a run that diverged shows no phase is no news beside that; it stands among its evidence.
            yield "" if divergence_of(verdict) else " ".join(verdict.missing) or _TOO_LITTLE


def _is_rejected(verdict: Verdict) -> bool:
    """Return whether a person said that what a detector took for the generalization is none."""
    return any(one.subject == "generalized" and one.decision is Decision.REJECTED for one in verdict.reviews)


def _training_curve(verdict: Verdict, trained: Mapping[str, TrainingEnd]) -> str:
    if verdict.outcomes and verdict.outcomes[0].metric in trained:
        return trained[verdict.outcomes[0].metric].metric
    memorized = verdict.memorized
    fit = (event for event in verdict.transitions if event.kind is Kind.MEMORIZATION)
    same = (event.metric for event in fit if memorized is not None and event.step == memorized.step)
    return next(same, "the training curve")


def _moved(metric: str) -> str:
    score = score_of(metric)
    if score is None:
        return "improved"
    return "rose" if score.higher_is_better else "fell"


def _together(held_out: str, train: str) -> str:
    """Return that two curves improved together; an accuracy rises while a loss falls.

    >>> _together("val/accuracy", "train/loss"), _together("val/loss", "train/loss")
    ('val/accuracy rose while train/loss fell', 'val/loss fell together with train/loss')
    """
    both = _moved(held_out), _moved(train)
    if "improved" in both or both[0] == both[1]:
        return f"{_capital(held_out)} {both[0]} together with {train}"
    return f"{_capital(held_out)} {both[0]} while {train} {both[1]}"


def _to(verdict: Verdict, trained: Mapping[str, TrainingEnd]) -> str:
    first = verdict.outcomes[0] if verdict.outcomes else None
    if first is None or first.level is None:
        return ""
    if any(event.kind is Kind.OVERFITTING and event.metric == first.metric for event in verdict.transitions):
        return f", to {level(first.best)}"
    return f", to {_levels(first, trained)}"


def _levels(outcome: CurveOutcome, trained: Mapping[str, TrainingEnd]) -> str:
    """Return where the curve ended, with its best level and the training curve, as far as they say more."""
    end, best, train = level(outcome.level), level(outcome.best), trained.get(outcome.metric)
    more = [f"{best} at best"] if best not in ("–", end) else []
    if train is not None:
        gap = _gap(outcome.metric, train.level, outcome.level) if train.is_same_score else ""
        more.append(f"{train.metric} {level(train.level)}{gap}")
    return f"{end} ({'; '.join(more)})" if more else end


def _gap(metric: str, trained: float, held_out: float | None) -> str:
    """Return how much worse than the training curve a held-out one ended, as exact as the levels are shown.

    >>> _gap("val/f1", 1.0, 0.7651), _gap("val/f1", 0.88, 0.95), _gap("val/error", 0.0, 0.03)
    (', gap 0.23', ', gap -0.07', ', gap 0.03')
    """
    score = score_of(metric)
    largest = max(abs(trained), abs(held_out or 0.0))
    if held_out is None or score is None or not 0 < largest < math.inf:
        return ""
    worse = trained - held_out if score.higher_is_better else held_out - trained
    return f", gap {level(round(worse, 2 - math.floor(math.log10(largest))) or 0.0)}"


def _fit(verdict: Verdict, train: str) -> str:
    if verdict.memorized is None:
        return ""
    by = "" if train == "the training curve" else f" ({train})"
    return f"The training set was fit by step {dated(verdict.memorized)}{by}."


def _dates(verdict: Verdict) -> str:
    named: list[tuple[str, Date]] = [
        (name, date) for name in list(DATES)[1:] if (date := date_of(verdict, name)) is not None
    ]
    if not named:
        return ""
    said = ", ".join(f"{name} {'at step ' if i == 0 else ''}{dated(d)}" for i, (name, d) in enumerate(named))
    is_open = verdict.in_progress and verdict.generalized is None
    return f"{said.capitalize()}{'; it goes on at the end of the log' if is_open else ''}."


def _delay(verdict: Verdict) -> str:
    delay = verdict.delay
    if delay is None:
        return ""
    ratio = f", {times(delay.ratio)} its step" if delay.ratio is not None else ""
    return f" The midpoint came {steps(delay.steps)} steps after the fit{ratio}."


def _lost(verdict: Verdict) -> str:
    event = next((event for event in verdict.transitions if event.kind is Kind.COLLAPSE), None)
    if event is None:
        return ""
    went = f"went from {level(event.before)} to {level(event.after)}"
    return f"Lost from step {dated(_date(event))} on: {event.metric} {went}."


def _events_told(verdict: Verdict, trained: Mapping[str, TrainingEnd]) -> Iterator[str]:
    """Yield what else anybody has to know of a run, whatever its pattern."""
    yield from _overfitting(verdict)
    changed = [
        f"{event.metric} at step {dated(_date(event))}, from {level(event.before)} to {level(event.after)}"
        for event in _phase_changes(verdict)
    ]
    if changed:
        yield f"Phase change: {_listed(changed)}."
    if (event := divergence_of(verdict)) is not None:
        yield _diverged(verdict, trained, event)


def _diverged(verdict: Verdict, trained: Mapping[str, TrainingEnd], event: Transition) -> str:
    """Return that a run diverged, after what it had come to if that is not told by a pattern."""
    lost = f"diverged: it is no number from step {dated(_date(event))} on."
    own = verdict.outcomes[0] if verdict.outcomes else None
    if verdict.pattern is not Pattern.OTHER or own is None or own.best is None:
        return f"{event.metric} {lost}"
    began = trained[own.metric].held_out_first if own.metric in trained else None
    if began is not None and not _is_better(own.metric, own.best, began):
        return f"{event.metric} {lost} {own.metric} was never better than at first ({level(began)})."
    went = "was" if began is None else f"{_moved(own.metric)} from {level(began)} to"
    is_lost = own.level is None or _is_better(own.metric, own.best, own.level)
    what = "it" if event.metric == own.metric else event.metric
    return f"{own.metric} {went} {level(own.best)} at best; {'then ' if is_lost else ''}{what} {lost}"


def _is_better(metric: str, value: float, than: float) -> bool:
    score = score_of(metric)
    return value != than and (score is None or (value > than) is score.higher_is_better)


def _overfitting(verdict: Verdict) -> Iterator[str]:
    # Of a curve that the run is judged by, the levels are those that are said of it elsewhere.
    judged = {outcome.metric: outcome for outcome in verdict.outcomes}
    said: list[str] = []
    for event in _overfit(verdict):
        own = judged.get(event.metric)
        best, end = (event.before, event.after) if own is None else (own.best, own.level)
        since = f"{event.metric} since step {dated(_date(event))}"
        said.append(f"{since}, {level(best)} at best, {level(end)} in the end")
    if said:
        yield f"Overfitting: {_listed(said)}."


def _overfit(verdict: Verdict) -> Sequence[Transition]:
    """Return what overfits, the curves that the run is judged by first."""
    found = [event for event in verdict.transitions if event.kind is Kind.OVERFITTING]
    judged = [outcome.metric for outcome in verdict.outcomes]
    return sorted(
        found, key=lambda event: judged.index(event.metric) if event.metric in judged else len(judged)
    )


def _phase_changes(verdict: Verdict) -> Sequence[Transition]:
    """Return the phase changes that are sure, the first of them first."""
    found = [event for event in verdict.transitions if event.kind is Kind.PHASE_CHANGE]
    return sorted(
        (event for event in found if event.status is Status.CONFIRMED), key=lambda event: event.step
    )


def _listed(said: Sequence[str]) -> str:
    more = f"; and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return "; ".join(said[:_MOST_NAMED]) + more


def _date(event: Transition) -> Date:
    return Date(step=event.step, low=event.low, high=event.high)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
