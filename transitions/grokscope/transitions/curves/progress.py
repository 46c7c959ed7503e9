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

LEAST = -1.0
"""Progress of a coefficient such as R² is cut here: it has no lower bound, and first values tell nothing."""
_COUNTED_IN_MAGNITUDES = frozenset({"perplexity"})


def span_of(curves: Sequence[Curve], score: Score) -> Span | None:
    """Return what was possible on curves of one ``score``, or ``None`` if they never leave where they began.

    >>> test = Curve(metric="test/loss", steps=np.arange(3), values=np.array([4.0, 5.0, 1.0]))
    >>> train = Curve(metric="train/loss", steps=np.arange(3), values=np.array([4.5, 1.0, 0.1]))
    >>> span_of([train, test], Score(quantity="loss", higher_is_better=False, scale=Scale.LOG, best=0.0))
    Span(start=4.5, best=0.0, is_log=False, least=-inf)
    """
    if score.scale is Scale.SHARE:
        return Span() if score.higher_is_better else Span(start=1.0, best=0.0)
    if score.start is not None and score.best is not None:
        return Span(start=score.start, best=score.best, least=LEAST)
    is_log = score.quantity in _COUNTED_IN_MAGNITUDES
    held = [curve for curve in curves if len(curve)]
    if not held:
        return None
    worse = min if score.higher_is_better else max
    start = worse(float(curve.values[0]) for curve in held)
    best = _best_held(held, score) if score.best is None else score.best
    if is_log:
        tiny = np.finfo(np.float64).tiny
        start, best = float(np.log(max(start, tiny))), float(np.log(max(best, tiny)))
    is_there_a_way = start < best if score.higher_is_better else start > best
    return Span(start=start, best=best, is_log=is_log) if is_there_a_way else None


def as_progress(curve: Curve, span: Span) -> Curve:
    """Return ``curve`` with its values as progress; ``curve.level`` turns them back."""
    return replace(curve, values=span.progress(curve.values), span=span)


def _best_held(curves: Sequence[Curve], score: Score) -> float:
    smooth = [running_median(curve.values, width=curve.patience | 1) for curve in curves]
    if score.higher_is_better:
        return max(float(np.max(values)) for values in smooth)
    return min(float(np.min(values)) for values in smooth)
