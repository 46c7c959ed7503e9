"""What speaks for and against more training, beside what decided: one sentence with its numbers each."""

from collections.abc import Iterator, Mapping

import numpy as np

from grokscope.interventions.stopping.changes import recent_gain
from grokscope.interventions.stopping.judged_curves import JudgedCurves
from grokscope.interventions.stopping.training import TrainingState
from grokscope.schemas import Kind, Verdict, guessed_param

MOVES = 0.02
"""A weight norm moves once it changed by this part over the last third of its evaluations."""
TURNED = 0.05
"""A held-out loss has turned once it fell by this part from its highest."""
AGO = 2
"""It did so at least this many widths of its running median before the end."""
WEIGHT_DECAY = "intervention.regularization.weight_decay"


def evidence_of(
    found: JudgedCurves, params: Mapping[str, str] | None = None, verdict: Verdict | None = None
) -> tuple[str, ...]:
    """Return what else the curves, the params and the engine's verdict say, in sentences.

    Args:
        found: The curves of the run.
        params: Its params as logged; a weight decay among them is named.
        verdict: What the detector says of the run.
    """
    training = TrainingState.of(found)
    return (
        *_of_training(training, found),
        *_of_held_out(found),
        *_of_weights(found),
        *_of_params(params or {}),
        *_of_verdict(verdict),
    )


def _of_training(training: TrainingState | None, found: JudgedCurves) -> Iterator[str]:
    main = found.level if found.level is not None else found.loss
    if training is not None and training.fit_at is not None and main is not None:
        times = float(main.steps[-1]) / max(training.fit_at, 1.0)
        took = f"the training set took to be fit ({training.fit_at:.0f})"
        yield f"The log is {times:.3g} times as long as {took}."
    if (loss := found.train_loss) is not None and (gained := recent_gain(loss)) is not None:
        levels = f"{loss.said(loss.end - gained)} to {loss.said(loss.end)}"
        yield f"{loss.metric} still falls: {levels} in its last third."


def _of_held_out(found: JudgedCurves) -> Iterator[str]:
    if (level := found.level) is not None:
        first, best = float(level.progress[0]), float(level.smooth[level.best])
        levels = (
            f"{level.said(first)} at first, {level.said(best)} at best, {level.said(level.end)} at the end"
        )
        yield f"{level.metric}: {levels} ({len(level)} evaluations, noise {level.noise:.2g})."
    if (loss := found.loss) is None:
        return
    worst = float(np.min(loss.smooth))
    at = int(np.argmin(loss.smooth))
    if loss.end - worst >= TURNED * abs(worst) and 0 < at < len(loss) - AGO * loss.widths[-1]:
        yield f"{loss.metric} fell again from {loss.said(worst)} at its highest to {loss.said(loss.end)}."
    elif loss.best == 0:
        first = loss.said(float(loss.progress[0]))
        yield f"{loss.metric} rose from its first evaluation on ({first}), with no lowest of its own."
    for other in found.others[:3]:
        if (gained := recent_gain(other)) is not None:
            yield f"{other.metric} gets better: {other.said(other.end - gained)} to {other.said(other.end)}."


def _of_weights(found: JudgedCurves) -> Iterator[str]:
    if found.norm is None:
        return
    values = found.norm[1]
    last = values[-max(len(values) // 3, 2) :]
    change = float(last[-1] / last[0] - 1) if len(last) > 1 and last[0] > 0 else 0.0
    moves = f"{'grew' if change > 0 else 'shrank'} by {abs(change):.1%} in its last third"
    yield f"The weight norm {moves}." if abs(change) >= MOVES else "The weight norm rests."


def _of_params(params: Mapping[str, str]) -> Iterator[str]:
    for name, value in params.items():
        if WEIGHT_DECAY in (name, guessed_param(name)):
            is_none = value.strip() in ("0", "0.0", "None", "")
            role = "nothing pulls the weights" if is_none else "it can bring a late generalization"
            yield f"Weight decay is {value}: {role}."
            return


def _of_verdict(verdict: Verdict | None) -> Iterator[str]:
    if verdict is None:
        return
    ongoing = ", still changing" if verdict.in_progress else ""
    yield f"The detector calls the run {verdict.pattern.value}{ongoing}."
    for event in verdict.transitions:
        if event.kind is Kind.OVERFITTING:
            date = f"step {event.step} ({event.low} to {event.high})"
            yield f"The detector dates overfitting of {event.metric} at {date}."
