"""What a metric's name says: a split, a task, a score; and how sure that is.

A name is read word by word. A score stands at its end (``scores``), a split anywhere; words that say only how
a score was taken are passed over, and what is left names a task or another set (``vocabulary``).
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from grokscope.schemas.metrics.name_parts import NameParts, parts_of
from grokscope.schemas.metrics.named_measures import measure_named
from grokscope.schemas.metrics.scores import Score, score_of
from grokscope.schemas.metrics.table import find_metric, is_split
from grokscope.schemas.metrics.vocabulary import (
    COMPONENTS,
    HINTS,
    NO_CURVE,
    NO_TASK,
    SHIFTED,
    TASK_SCORES,
)
from grokscope.schemas.metrics.words import words_of


class Sureness(StrEnum):
    """How sure a reading is.

    ``SURE``: the name says it. ``LIKELY``: a convention or the names beside it say it. ``UNSURE``: a
    suggestion, which is not followed. ``UNREAD``: the name tells no curve of a score.
    """

    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one name was read as.

    Attributes:
        name: As it was logged.
        split: ``train``, ``val`` or ``test``.
        task: The task or set beside the usual one, such as ``ood`` or ``hellaswag``; ``""`` if there is none.
        score: The score, if the name tells one.
        key: The key that it goes by; of an unsure reading, the key that it may be.
        sureness: How sure that is.
        because: Why, in one sentence.
    """

    name: str
    split: str | None = None
    task: str = ""
    score: Score | None = None
    key: str | None = None
    sureness: Sureness = Sureness.UNREAD
    because: str = "Its name tells no score."

    @property
    def is_followed(self) -> bool:
        """The metric goes by ``key``, unless a person says otherwise."""
        return self.sureness in (Sureness.SURE, Sureness.LIKELY)


_TERMS = frozenset({"loss", "mse", "mae", "error"})
"""Scores that are summed of terms with names of their own."""
_DETECTION = frozenset({"map", "map50", "map75"})
_YOLO = re.compile(r"metrics/.*\([BMP]\)")
_LOADER = re.compile(r"[/_]?dataloader_idx_(\d+)$")


@lru_cache(maxsize=8192)
def read_alone(name: str) -> Reading:
    """Return what ``name`` says by itself, whatever stands beside it.

    >>> read_alone("eval_hellaswag_accuracy").key, read_alone("best_val_acc").key
    ('shift:hellaswag/accuracy', None)
    """
    if (own := _own(name) or _measure(name)) is not None:
        return own
    if (loader := _LOADER.search(name)) is not None:
        return _of_loader(name, name[: loader.start()], int(loader[1]))
    parts = parts_of(name)
    if parts is None:
        return Reading(name=name)
    found = Reading(name=name, score=parts.score)
    if NO_CURVE & set(parts.unknown):
        because = "It is a setting, a spread or the best so far, and no curve of a score."
        return replace(found, because=because)
    if parts.other or len(parts.splits) > 1:
        what = "quantities" if parts.other else "splits"
        return replace(found, sureness=Sureness.UNSURE, because=f"It names two {what}.")
    return _placed(found, parts)


def _own(name: str) -> Reading | None:
    split, _, quantity = name.partition("/")
    score = score_of(name) if is_split(split) else None
    if find_metric(name) is None and (score is None or score.quantity != quantity):
        return None
    shift, _, task = split.partition(":")
    place = ("test", task) if task else (shift if is_split(split) else None, "")
    return Reading(
        name=name,
        split=place[0],
        task=place[1],
        score=score,
        key=name,
        sureness=Sureness.SURE,
        because="It is a key.",
    )


def _measure(name: str) -> Reading | None:
    key = measure_named(frozenset(words_of(name)))
    because = "It is a usual name of this measure."
    return None if key is None else Reading(name=name, key=key, sureness=Sureness.SURE, because=because)


def _of_loader(name: str, stem: str, number: int) -> Reading:
    """Read the name that Lightning gives a metric of one of several sets."""
    base = read_alone(stem)
    if base.split not in ("val", "test") or base.score is None or base.task:
        return replace(base, name=name, key=None, sureness=Sureness.UNSURE)
    task = f"dataloader_{number}" if number else ""
    return replace(
        base,
        name=name,
        task=task,
        key=_key(base.split, task, base.score),
        sureness=Sureness.LIKELY,
        because="Lightning numbers the sets that it evaluates; the first is taken for the usual one.",
    )


def _placed(found: Reading, parts: NameParts) -> Reading:
    """Return the reading with the split and the task that its parts tell."""
    if not parts.splits and not parts.hint:
        return _without_split(found, parts)
    hinted = HINTS.get(parts.hint, ("", ""))
    split = next(iter(parts.splits), hinted[0])
    task = parts.task or (SHIFTED.get(parts.hint, "") if parts.splits else hinted[1])
    found, key = replace(found, split=split, task=task), _key(split, task, parts.score)
    if not parts.unknown and (split != "train" or not task):
        if not parts.hint:
            return replace(found, key=key, sureness=Sureness.SURE, because="It names a split and a quantity.")
        because = f"{parts.hint!r} tells the set by convention."
        return replace(found, key=key, sureness=Sureness.LIKELY, because=because)
    unsure = replace(found, sureness=Sureness.UNSURE)
    if split == "train" or not task or not _is_task(parts):
        words = task or " ".join(parts.unknown)
        return replace(unsure, because=f"{words!r} may be a task, a term of the loss or a part of the model.")
    if parts.is_behind and not parts.is_apart:
        return replace(unsure, key=key, because=f"{task!r} behind the score may be the name of a set.")
    return replace(
        found, key=key, sureness=Sureness.LIKELY, because=f"{task!r} is taken for the name of a set."
    )


def _without_split(found: Reading, parts: NameParts) -> Reading:
    """Read a bare score, or ``<task>/<score>`` as evaluation harnesses write it."""
    score = parts.score
    if not parts.unknown and (score.quantity in _DETECTION or _YOLO.fullmatch(found.name)):
        because = "Detectors measure it on the validation set."
        key = _key("val", "", score)
        return replace(found, split="val", key=key, sureness=Sureness.LIKELY, because=because)
    if not parts.unknown:
        because = "It names no split; what is bare is most often of training."
        key = _key("train", "", score)
        return replace(found, split="train", key=key, sureness=Sureness.UNSURE, because=because)
    is_benchmark = score.quantity in TASK_SCORES or "_at_" in score.quantity
    is_alone = parts.is_apart and not parts.is_behind and parts.task in found.name.split("/")
    if is_alone and is_benchmark and _is_task(parts):
        because = f"{parts.task!r} is taken for the name of a task."
        key = _key("test", parts.task, score)
        return replace(
            found, split="test", task=parts.task, key=key, sureness=Sureness.LIKELY, because=because
        )
    return replace(found, task=parts.task, sureness=Sureness.UNSURE, because="It names no split.")


def _is_task(parts: NameParts) -> bool:
    """Say whether the unknown words may name a task or a set."""
    words = {re.sub(r"\d+$", "", word) for word in parts.unknown}
    if "" in words or words & NO_TASK:
        return False
    return not (parts.score.quantity in _TERMS and words & COMPONENTS)


def _key(split: str, task: str, score: Score) -> str:
    # The accuracy of tokens is the accuracy, unless that of whole answers stands beside it.
    quantity = "accuracy" if score.quantity == "token_accuracy" else score.quantity
    return f"shift:{task}/{quantity}" if task else f"{split}/{quantity}"
