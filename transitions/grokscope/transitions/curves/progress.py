"""Progress: a curve measured by what was possible, 0 where a model without skill stands and 1 at the best.

Accuracy is its own progress. An error rate is what it lacks to 1; a loss the share of its first level that is
gone, which is to cross-entropy what R² is to squared error; perplexity the same of its logarithm; a reward
the share of the way from where it began to the best that either curve of the pair ever held.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grokscope.schemas import Score
from grokscope.schemas.metrics.scores import Scale
from grokscope.transitions.curves.series import Curve, Span, running_median

_COUNTED_IN_MAGNITUDES = frozenset({"perplexity"})


def span_of(curves: Sequence[Curve], score: Score) -> Span | None:
    """Return what was possible on curves of one ``score``, or ``None`` if they never leave where they began.

    >>> test = Curve(metric="test/loss", steps=np.arange(3), values=np.array([4.0, 5.0, 1.0]))
    >>> train = Curve(metric="train/loss", steps=np.arange(3), values=np.array([4.5, 3.0, 0.1]))
    >>> span_of([train, test], Score(quantity="loss", higher_is_better=False, scale=Scale.LOG, best=0.0))
    Span(start=4.5, best=0.0, is_log=False, is_open=False)
    """
    if score.scale is Scale.SHARE and score.higher_is_better:
        return Span()
    if score.scale is Scale.SHARE:
        return Span(start=max([1.0, *(_first(curve, score) for curve in curves if len(curve))]), best=0.0)
    if score.start is not None and score.best is not None:
        return Span(start=score.start, best=score.best, is_open=True)
    is_log = score.quantity in _COUNTED_IN_MAGNITUDES
    held = [curve for curve in curves if len(curve)]
    if not held:
        return None
    worse = min if score.higher_is_better else max
    start = worse(_first(curve, score) for curve in held)
    best = _best_held(held, score)
    if score.best is not None and not _is_beyond(best, score):
        best = score.best
    if is_log:
        tiny = np.finfo(np.float64).tiny
        start, best = float(np.log(max(start, tiny))), float(np.log(max(best, tiny)))
    is_there_a_way = start < best if score.higher_is_better else start > best
    return Span(start=start, best=best, is_log=is_log) if is_there_a_way else None


def as_progress(curve: Curve, span: Span) -> Curve:
    """Return ``curve`` with its values as progress; ``curve.level`` turns them back."""
    return replace(curve, values=span.progress(curve.values), span=span)


def _is_beyond(level: float, score: Score) -> bool:
    """Return whether curves went beyond the best of their name: densities have losses below zero."""
    if score.best is None:
        return False
    return level > score.best if score.higher_is_better else level < score.best


def _first(curve: Curve, score: Score) -> float:
    """Return the level at which ``curve`` begins; a first value far beyond all others tells nothing.

    Far means by more than all that the others span: the loss of the very first batch may be anything.
    """
    first, rest = float(curve.values[0]), curve.values[1:]
    if len(rest) == 0:
        return first
    low, high = float(np.min(rest)), float(np.max(rest))
    if score.higher_is_better:
        return low if first < low - (high - low) else first
    return high if first > high + (high - low) else first


def _best_held(curves: Sequence[Curve], score: Score) -> float:
    smooth = [running_median(curve.values, width=curve.patience | 1) for curve in curves]
    if score.higher_is_better:
        return max(float(np.max(values)) for values in smooth)
    return min(float(np.min(values)) for values in smooth)
