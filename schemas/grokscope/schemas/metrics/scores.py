"""Scores: the quantities that a curve may show of a split, which way is better, and on what scale.

The table is wider than what grokscope measures itself: it holds what other people log of a training or a
held-out set. A name's last words that mean something tell the quantity; ``loss_scale`` is no loss and
``reward_std`` no reward, for their last word is another thing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from grokscope.schemas.metrics.measure import CURVE, Direction, Measure
from grokscope.schemas.metrics.table import METRICS, is_split
from grokscope.schemas.metrics.vocabulary import HINTS, NO_CURVE, QUALIFIERS, SCORE_NAMES, SPLIT_OF
from grokscope.schemas.metrics.words import words_of


class Scale(StrEnum):
    """What the values of a score are, and so how two of them are compared.

    ``SHARE`` is 0 to 1, or the same in per cent; ``LOG`` is the logarithm of something (cross-entropy, bits);
    ``POSITIVE`` is never below zero and counts in orders of magnitude (squared error, perplexity);
    ``UNBOUNDED`` may be any number (reward, margin, R²).
    """

    SHARE = "share"
    LOG = "log"
    POSITIVE = "positive"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A quantity of a curve, and what its name alone tells about its values.

    Attributes:
        quantity: Second part of the key, such as ``accuracy``, ``error`` or ``top5_accuracy``.
        higher_is_better: Which way is better.
        scale: What the values are.
        start: Where a model without any skill stands, if the quantity itself tells (R² 0, AUC .5).
        best: The best possible value, if the quantity itself tells (accuracy 1, perplexity 1).
    """

    quantity: str
    higher_is_better: bool
    scale: Scale
    start: float | None = None
    best: float | None = None


def _rows(
    names: str, scale: Scale, *, up: bool, start: float | None = None, best: float | None = None
) -> list[Score]:
    return [
        Score(quantity=name, higher_is_better=up, scale=scale, start=start, best=best)
        for name in names.split()
    ]


SCORES: Mapping[str, Score] = MappingProxyType(
    {
        score.quantity: score
        for score in (
            *_rows("accuracy normalized_accuracy token_accuracy", Scale.SHARE, up=True, best=1.0),
            *_rows("macro_accuracy f1 precision recall specificity", Scale.SHARE, up=True, best=1.0),
            *_rows("success_rate pass mrr ndcg hits", Scale.SHARE, up=True, best=1.0),
            *_rows("average_precision map map50 map75 iou dice ssim", Scale.SHARE, up=True, best=1.0),
            *_rows("exact_match bleu rouge chrf meteor", Scale.SHARE, up=True, start=0.0, best=1.0),
            *_rows("auc", Scale.SHARE, up=True, start=0.5, best=1.0),
            *_rows("error wer cer calibration_error", Scale.SHARE, up=False, best=0.0),
            *_rows("loss bits", Scale.LOG, up=False, best=0.0),
            *_rows("log_likelihood", Scale.LOG, up=True, best=0.0),
            *_rows("perplexity", Scale.POSITIVE, up=False, best=1.0),
            *_rows("mse rmse mae mape brier fid lpips edit_distance", Scale.POSITIVE, up=False, best=0.0),
            *_rows("r2 explained_variance correlation", Scale.UNBOUNDED, up=True, start=0.0, best=1.0),
            *_rows("mcc kappa", Scale.UNBOUNDED, up=True, start=0.0, best=1.0),
            *_rows("reward score margin advantage psnr elo elbo cider", Scale.UNBOUNDED, up=True),
        )
    }
)
"""Every score by its quantity; ``top5_accuracy``, ``recall_at_10`` and the like follow from these."""

_QUANTITIES: Mapping[tuple[str, ...], str] = {
    words_of(name): quantity
    for quantity in SCORES
    for name in (quantity, *SCORE_NAMES.get(quantity, "").split())
}
_LONGEST = max(map(len, _QUANTITIES))

_SPLITS = SPLIT_OF.keys() | {word for hint in HINTS for word in hint.split()}
_PASSED = QUALIFIERS | _SPLITS
_MOST_BEHIND = 2
"""Words behind a score that may name a task, in a name that tells a split: ``test/acc_add``."""
_TOP = re.compile(r"top(\d+)|(?:acc|prec|err|error)(1|3|5|10)")
_TURNED = frozenset({"mse", "rmse", "mae", "mape", "brier"})
"""Losses of which scikit-learn's scorers give the negative: ``neg_mean_squared_error``."""


@lru_cache(maxsize=8192)
def score_of(name: str) -> Score | None:
    """Return the score that ``name`` is, or ``None`` if it tells no quantity of which one side is better.

    Args:
        name: A key (``val/error``, ``shift:far/f1``) or a name as logged (``ind_acc``, ``eval_reward``).

    >>> [score_of(name).quantity for name in ("val/error", "ind_acc", "eval_reward", "Top-5 Accuracy (%)")]
    ['error', 'accuracy', 'reward', 'top5_accuracy']
    >>> score_of("neg_mean_squared_error").higher_is_better, score_of("test/perplexity").best
    (True, 1.0)
    >>> [score_of(name) for name in ("lr", "loss_scale", "reward_std", "train_samples_per_second")]
    [None, None, None, None]
    """
    plain, is_up = split_direction(name)
    if is_up is not None:
        return _turned(plain, is_up=is_up)
    family, _, quantity = name.partition("/")
    if is_split(family):
        if quantity in SCORES:
            return SCORES[quantity]
        if (ours := METRICS.get((CURVE, quantity))) is not None:
            return _of_measure(ours)
    found = find_score(words_of(name))
    return None if found is None else found.score


def split_direction(key: str) -> tuple[str, bool | None]:
    """Return ``key`` without the ``:up`` or ``:down`` that a person put behind it, and whether that is up.

    >>> split_direction("test/energy:down"), split_direction("val_loss")
    (('test/energy', False), ('val_loss', None))
    """
    plain, _, way = key.rpartition(":")
    return (
        (plain, way == "up") if way in ("up", "down") and is_split(plain.partition("/")[0]) else (key, None)
    )


def _turned(key: str, *, is_up: bool) -> Score:
    """Return the score of a key of which a person says which way is better."""
    quantity = key.partition("/")[2]
    score = score_of(key)
    if score is None or score.quantity != quantity:
        score = Score(quantity=quantity, higher_is_better=is_up, scale=Scale.UNBOUNDED)
    if score.higher_is_better is not is_up:
        score = replace(score, higher_is_better=is_up, start=None, best=None)
    return replace(score, quantity=f"{quantity}:{'up' if is_up else 'down'}")


@dataclass(frozen=True, slots=True)
class FoundScore:
    """A score in a name: ``words[start:end]`` name it."""

    score: Score
    start: int
    end: int


def find_score(words: Sequence[str]) -> FoundScore | None:
    """Return the score that the last meaningful ones of ``words`` name, and where; see ``score_of``.

    >>> found = find_score(("train", "top5", "error", "mean"))
    >>> found.score.quantity, found.start, found.end
    ('top5_error', 2, 3)
    """
    at, left = "", _MOST_BEHIND if any(word in _SPLITS for word in words) else 0
    for end in range(len(words), 0, -1):
        if (found := _ending(words[:end])) is not None:
            score, start = found
            return FoundScore(_at(score, at) if at else score, start, end + bool(at))
        word = words[end - 1]
        if word.startswith("@"):
            at = word[1:]
        elif word in _PASSED:
            continue
        elif word in NO_CURVE or left == 0:
            return None
        else:
            left -= 1
    return None


def score_words(words: Sequence[str]) -> tuple[str, int]:
    """Return the quantity that the last of ``words`` name by themselves, and how many they are; else ``""``.

    >>> score_words(("nll", "cross", "entropy"))
    ('loss', 2)
    """
    for length in range(min(_LONGEST, len(words)), 0, -1):
        if (quantity := _QUANTITIES.get(tuple(words[-length:]))) is not None:
            return quantity, length
    return "", 0


def _ending(words: Sequence[str]) -> tuple[Score, int] | None:
    """Return the score that the very last of ``words`` name, and where its words begin."""
    if (top := _TOP.fullmatch(words[-1])) is not None:
        is_error = top[0].startswith("err") or score_words(words[:-1]) == ("error", 1)
        return _of_top(SCORES["error" if is_error else "accuracy"], top[1] or top[2]), len(words) - 1
    quantity, length = score_words(words)
    if not quantity:
        return None
    front = words[:-length]
    inner = _ending(front) if quantity == "score" and front else None  # f1_score is F1
    return inner or (_qualified(SCORES[quantity], words[-length:], front), len(front))


def _qualified(score: Score, phrase: Sequence[str], front: Sequence[str]) -> Score:
    """Return ``score`` as the words before it make it: of the best k, or with its sign turned."""
    if score.quantity in ("accuracy", "error"):
        numbers = [top[1] for word in front if (top := _TOP.fullmatch(word)) and top[1]]
        numbers += ["_k"] if "top k" in " ".join(front) else []
        return _of_top(score, numbers[-1]) if numbers else score
    may_turn = score.quantity in _TURNED or tuple(phrase) == ("log", "loss")
    if may_turn and front and front[-1] in ("neg", "negative"):
        quantity = "_".join(("negative", *phrase))
        return replace(score, quantity=quantity, higher_is_better=True, scale=Scale.UNBOUNDED)
    return score


def _of_top(score: Score, k: str) -> Score:
    return score if k == "1" else replace(score, quantity=f"top{k}_{score.quantity}")


def _at(score: Score, k: str) -> Score:
    if score.quantity in ("accuracy", "error"):
        return _of_top(score, k)
    return replace(score, quantity=f"{score.quantity}_at_{k}")


def _of_measure(measure: Measure) -> Score | None:
    if measure.direction is Direction.NONE:
        return None
    is_up = measure.direction is Direction.UP
    best = measure.high if is_up else measure.low
    return Score(quantity=measure.quantity, higher_is_better=is_up, scale=_scale_of(measure), best=best)


def _scale_of(measure: Measure) -> Scale:
    if (measure.low, measure.high) == (0.0, 1.0):
        return Scale.SHARE
    if measure.unit == "nats" and 0.0 in (measure.low, measure.high):
        return Scale.LOG
    return Scale.POSITIVE if measure.low == 0.0 else Scale.UNBOUNDED
