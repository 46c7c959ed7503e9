"""Which curves of a run are judged together: a held-out curve and its training curve, as progress.

A run is judged by the first of these that it has on both sides: accuracy; another score of 0 to 1; a
coefficient such as R²; an error such as the mean squared one; a reward; a loss. Where only the held-out side
has a score, the training loss tells when the training set was fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grokscope.schemas import Score, held_out, held_out_curves, score_of
from grokscope.schemas.metrics.held_out import ENOUGH
from grokscope.schemas.metrics.scores import Scale
from grokscope.transitions.curves.progress import as_progress, span_of
from grokscope.transitions.curves.series import Curve

LOSS = "loss"
_FIRST = "accuracy"
_LOSSES = frozenset({"loss", "bits", "perplexity", "log_likelihood"})
"""Their best level is not known beforehand: what a language leaves unknown is no lack of learning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A held-out curve and its training curve, both as progress.

    Attributes:
        train, test: The curves.
        quantity: Of the held-out curve.
        is_loss: Only losses tell: what a model cannot know is not told from what it has not learned.
    """

    train: Curve
    test: Curve
    quantity: str
    is_loss: bool


def headline(curves: Mapping[str, Curve]) -> Pair | None:
    """Return the pair that a run is judged by, or ``None`` if it has none of two evaluations each."""
    evaluations = {name: len(curve) for name, curve in curves.items()}
    lone: tuple[str, Score] | None = None
    for quantity, score in sorted(_quantities(curves).items(), key=_rank):
        name = held_out(evaluations, quantity)
        if name is None or evaluations[name] < ENOUGH:
            continue
        train = curves.get(f"train/{quantity}")
        if train is not None and len(train) >= ENOUGH:
            return _pair(train, curves[name], train_score=score, score=score)
        lone = lone or (name, score)
    train = curves.get(f"train/{LOSS}")
    loss = score_of(f"train/{LOSS}")
    if lone is None or train is None or loss is None or len(train) < ENOUGH or lone[1].quantity in _LOSSES:
        return None
    return _pair(train, curves[lone[0]], train_score=loss, score=lone[1])


def held_out_pairs(curves: Mapping[str, Curve]) -> list[Pair]:
    """Return every held-out curve with the training curve of its quantity, by the order of their keys."""
    found: list[Pair] = []
    for quantity, score in sorted(_quantities(curves).items()):
        train = curves.get(f"train/{quantity}")
        names = held_out_curves(curves, quantity) if train is not None and len(train) else []
        for name in names:
            pair = _pair(train, curves[name], train_score=score, score=score) if len(curves[name]) else None
            found += [] if pair is None else [pair]
    return found


def _quantities(curves: Mapping[str, Curve]) -> dict[str, Score]:
    """Return the scores that some held-out curve shows."""
    found = {name.partition("/")[2] for name in curves if not name.startswith("train/")}
    scores = ((quantity, score_of(f"test/{quantity}")) for quantity in sorted(found))
    return {quantity: score for quantity, score in scores if score is not None}


def _rank(one: tuple[str, Score]) -> tuple[int, str]:
    quantity, score = one
    order: Sequence[bool] = (
        quantity == _FIRST,
        score.scale is Scale.SHARE,
        score.start is not None and score.best is not None,
        quantity not in _LOSSES and score.best is not None,
        quantity not in _LOSSES,
        quantity == LOSS,
    )
    return (order.index(True) if any(order) else len(order), quantity)


def _pair(train: Curve, test: Curve, *, train_score: Score, score: Score) -> Pair | None:
    is_same = train_score is score
    span = span_of([train, test] if is_same else [test], score)
    train_span = span if is_same else span_of([train], train_score)
    if span is None or train_span is None:
        return None
    return Pair(
        train=as_progress(train, train_span),
        test=as_progress(test, span),
        quantity=score.quantity,
        is_loss=score.quantity in _LOSSES,
    )
