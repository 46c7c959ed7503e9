"""Which curves of a run are judged together: a held-out curve and its training curve, as progress.

Every held-out set and task is judged by one score: the first of these that it and the training set have.
Accuracy; another score of 0 to 1; a coefficient such as R²; an error such as the mean squared one; a reward.
Where no training curve has the held-out score, the training loss tells when the training set was fit; where
there is no score, the losses are judged alone. The training curve of a task is its own, if it has one.

The headline of a run is the pair of what was drawn like the training set (``test``, then ``val``); without
that, the first of its tasks and shifted sets by name; scores go before losses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grokscope.schemas import Score, score_of
from grokscope.schemas.metrics.aliases import readings
from grokscope.schemas.metrics.held_out import ENOUGH, FIRST
from grokscope.schemas.metrics.scores import Scale
from grokscope.transitions.curves.progress import as_progress, span_of
from grokscope.transitions.curves.series import Curve

_LOSSES = frozenset({"loss", "bits", "perplexity", "log_likelihood"})
"""Their best level is not known beforehand: what a language leaves unknown is no lack of learning."""
_BY_LEVEL = (Scale.LOG, Scale.POSITIVE)
"""Scales on which a change counts by the level that it is a change of: first levels may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A held-out curve and its training curve, both as progress.

    Attributes:
        train, test: The curves.
        split: ``test``, ``val``, or the set that was shifted from the training set.
        task: The task, if the run has several; else ``""``.
        is_train_loss: The training curve is a loss.
        is_loss: Only losses tell: what a model cannot know is not told from what it has not learned.
    """

    train: Curve
    test: Curve
    split: str
    task: str = ""
    is_train_loss: bool
    is_loss: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """A held-out curve of any score, as progress, and its training curve, if it has one."""

    test: Curve
    train: Curve | None
    counts_by_level: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A curve of a score, by what its name says; of training, or of the set or task that was held out."""

    curve: Curve
    score: Score
    split: str
    task: str

    @property
    def rank(self) -> int:
        """Return how much the score tells, the least the most."""
        score = self.score
        order: Sequence[bool] = (
            score.quantity == "accuracy",
            score.scale is Scale.SHARE,
            score.start is not None and score.best is not None,
            score.quantity not in _LOSSES and score.best is not None,
            score.quantity not in _LOSSES,
            score.quantity == "loss",
        )
        return order.index(True) if any(order) else len(order)


def scored(curves: Mapping[str, Curve]) -> list[Scored]:
    """Return the curves of one run that are scores of a split, by name: names are read here, and only here.

    Args:
        curves: All that the run logged; the names beside a bare one tell what it is.
    """
    found: list[Scored] = []
    for name, reading in sorted(readings(curves).items()):
        # A name that other people gave may be in doubt; that it shows a score of a split is not.
        score = score_of(name) or reading.score
        if score is not None and reading.split is not None and len(curves[name]) >= ENOUGH:
            found.append(Scored(curve=curves[name], score=score, split=reading.split, task=reading.task))
    return found


def pairs_of(shown: Sequence[Scored]) -> list[Pair]:
    """Return what each held-out set and task of a run is judged by, the headline first."""
    trained = [one for one in shown if one.split == "train"]
    sets: dict[tuple[bool, int, str], list[Scored]] = {}
    for one in shown:
        if one.split in FIRST:
            sets.setdefault((one.task != "", FIRST.index(one.split), one.task), []).append(one)
    found = (_judged(held_out, trained) for _, held_out in sorted(sets.items()))
    # What scores tell of some tasks says more than what the losses say of all.
    return sorted((pair for pair in found if pair is not None), key=lambda pair: pair.is_loss)


def held_out_scores(shown: Sequence[Scored]) -> list[HeldOut]:
    """Return every held-out curve of a score, by name, with the training curve of its score, if any."""
    trained = [one for one in shown if one.split == "train"]
    found: list[HeldOut] = []
    for one in shown:
        partner = _partner(one, trained)
        together = [one.curve] if partner is None else [partner.curve, one.curve]
        span = span_of(together, one.score) if one.split in FIRST else None
        if span is not None:
            train = None if partner is None else as_progress(partner.curve, span)
            counts_by_level = one.score.scale in _BY_LEVEL and not one.score.higher_is_better
            found.append(
                HeldOut(test=as_progress(one.curve, span), train=train, counts_by_level=counts_by_level)
            )
    return found


def _judged(held_out: Sequence[Scored], trained: Sequence[Scored]) -> Pair | None:
    """Return the pair that one held-out set is judged by."""
    ranked = sorted(held_out, key=lambda one: (one.rank, one.curve.metric))
    scores = [one for one in ranked if one.score.quantity not in _LOSSES]
    for one in scores:
        partner = _partner(one, trained)
        if partner is not None and (pair := _pair(partner, one)) is not None:
            return pair
    losses = [one for one in trained if one.score.quantity == "loss"]
    for one in scores:
        stand_in = next((loss for loss in losses if loss.task in (one.task, "")), None)
        if stand_in is not None and (pair := _pair(stand_in, one)) is not None:
            return pair
    for one in ranked:
        partner = _partner(one, trained) or next((loss for loss in losses if not loss.task), None)
        if partner is not None and (pair := _pair(partner, one)) is not None:
            return pair
    return None


def _partner(one: Scored, trained: Sequence[Scored]) -> Scored | None:
    """Return the training curve of the same score: of the same task, or of all together."""
    same = [other for other in trained if other.score.quantity == one.score.quantity]
    found = (other for task in (one.task, "") for other in same if other.task == task)
    return next(found, None)


def _pair(train: Scored, test: Scored) -> Pair | None:
    is_same = train.score.quantity == test.score.quantity
    span = span_of([train.curve, test.curve] if is_same else [test.curve], test.score)
    train_span = span if is_same else span_of([train.curve], train.score)
    if span is None or train_span is None:
        return None
    return Pair(
        train=as_progress(train.curve, train_span),
        test=as_progress(test.curve, span),
        split=test.split,
        task=test.task,
        is_train_loss=train.score.quantity in _LOSSES,
        is_loss=test.score.quantity in _LOSSES,
    )
