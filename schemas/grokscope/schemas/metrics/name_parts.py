"""The parts of a metric's name: where its score stands, which words tell a split, which a task."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grokscope.schemas.metrics.scores import FoundScore, Score, find_score, score_words
from grokscope.schemas.metrics.vocabulary import COMPONENTS, EVALUATED, HINTS, QUALIFIERS, SPLIT_OF
from grokscope.schemas.metrics.words import words_of

_TASK = re.compile(r"[\w.\-]+")
_SAID_TOO: Mapping[str, frozenset[str]] = {
    "loss": frozenset({"mse", "rmse", "mae", "mape", "bits", "perplexity"}),
    "perplexity": frozenset({"loss"}),
    "accuracy": frozenset({"reward"}),
    "margin": frozenset({"reward"}),
}
"""Quantities that say of what kind a score is: ``mse_loss`` is a loss, ``rewards/accuracies`` an accuracy."""
_TOLD = (("top", r"top\d*|k"), ("negative", "neg|negative"))
_NUMBERED = frozenset({"auc", "precision", "recall"})
"""Scores that Keras tells apart by a number when a model is built again: ``auc_1``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """A name with its score, and what its other words are.

    Attributes:
        score: The score.
        splits: The splits that are named outright; none, one, or more than can be.
        hint: A word or more that tell a set by convention, such as ``ood``; ``""`` if there are none.
        unknown: Words that are neither split, score nor qualifier, in order.
        task: These as the name of a task; ``""`` if they are no connected part of the name.
        other: Another quantity than that of the score, if the name tells one too.
        is_behind: Some of the unknown words stand behind the score.
        is_apart: The unknown words are a part of the name by themselves, between slashes.
        words: All words.
    """

    score: Score
    splits: frozenset[str]
    hint: str
    unknown: tuple[str, ...]
    task: str
    other: str
    is_behind: bool
    is_apart: bool
    words: tuple[str, ...]


def parts_of(name: str) -> NameParts | None:
    """Return the parts of ``name``, or ``None`` if it tells no score.

    >>> parts = parts_of("eval/hellaswag/acc_norm")
    >>> parts.score.quantity, set(parts.splits), parts.task
    ('normalized_accuracy', {'val'}, 'hellaswag')
    """
    words = words_of(name)
    found = find_score(words)
    if found is None:
        return None
    kinds = {i: word for i, word in enumerate(words) if not found.start <= i < found.end}
    other = _take_quantities(kinds, found)
    named = {word for word in kinds.values() if word in SPLIT_OF}
    if len({SPLIT_OF[word] for word in named}) > 1:
        named -= EVALUATED
    hint = _take_hint(kinds)
    unknown = [i for i, word in kinds.items() if word not in SPLIT_OF and not _is_passed(word, i, found)]
    task, is_apart = _task(name, words, unknown, found)
    return NameParts(
        score=found.score,
        splits=frozenset(SPLIT_OF[word] for word in named),
        hint=hint,
        unknown=tuple(words[i] for i in unknown),
        task=task,
        other=other,
        is_behind=any(i >= found.end for i in unknown),
        is_apart=is_apart,
        words=words,
    )


def _is_passed(word: str, at: int, found: FoundScore) -> bool:
    is_number = word.isdigit() and at == found.end and found.score.quantity in _NUMBERED
    # top_k_accuracy, top5_accuracy and negative_mean_squared_error tell these words themselves.
    is_told = any(found.score.quantity.startswith(t) and re.fullmatch(w, word) for t, w in _TOLD)
    return word in QUALIFIERS or word.startswith("@") or is_number or is_told


def _take_quantities(kinds: dict[int, str], found: FoundScore) -> str:
    """Take words out of ``kinds`` that say the quantity again; return another quantity that they say."""
    ours, other = found.score.quantity, ""
    for end in range(max(kinds, default=-1) + 1, 0, -1):
        run = [kinds[i] for i in range(_begin(kinds, end), end)]
        quantity, length = score_words(run)
        if not quantity or run[-1] in SPLIT_OF or (length == 1 and run[-1] in COMPONENTS):
            continue
        again = quantity == ours or ours.endswith(f"_{quantity}") or quantity in _SAID_TOO.get(ours, ())
        if again:
            for i in range(end - length, end):
                del kinds[i]
        else:
            other = quantity
    return other


def _begin(kinds: Mapping[int, str], end: int) -> int:
    """Return where the unbroken run of words that ends before ``end`` begins."""
    begin = end
    while begin - 1 in kinds:
        begin -= 1
    return begin


def _take_hint(kinds: dict[int, str]) -> str:
    """Take the words of a hint out of ``kinds``; return them."""
    for hint in HINTS:
        phrase = hint.split()
        for i in list(kinds):
            if all(kinds.get(i + k) == word for k, word in enumerate(phrase)):
                for k in range(len(phrase)):
                    del kinds[i + k]
                return hint
    return ""


def _task(name: str, words: Sequence[str], unknown: Sequence[int], found: FoundScore) -> tuple[str, bool]:
    """Return the task that the unknown words name, and whether they are parts of the name by themselves."""
    if not unknown:
        return "", False
    texts = name.split("/")
    part_of = [i for i, text in enumerate(texts) for _ in words_of(text)]
    if len(part_of) != len(words):
        return "", False
    scored = {part_of[i] for i in range(found.start, min(found.end, len(words)))}
    parts = sorted({part_of[i] for i in unknown})
    first, last = unknown[0], unknown[-1]
    if not scored & set(parts):
        whole = "_".join(_without_split(texts[part]) for part in parts)
        return (whole if _TASK.fullmatch(whole) else "_".join(words[i] for i in unknown)), True
    if len(parts) > 1 or any(found.start <= i < found.end for i in range(first, last)):
        return "", False
    return "_".join(words[first : last + 1]), False


def _without_split(text: str) -> str:
    """Return ``text`` without words at its ends that name a split."""
    ends = "|".join(SPLIT_OF)
    return re.sub(rf"^(?:{ends})[-_.]|[-_.](?:{ends})$", "", text, flags=re.IGNORECASE)
