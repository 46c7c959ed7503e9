"""Other people's metric names, mapped to the keys of the table by rule.

``val_acc``, ``eval_loss``, ``Train/Acc`` and ``test_accuracy`` all say the same two things: a split and
a quantity. The rule reads the words of a name, so that one table serves every separator and order.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from grokscope.schemas.metrics.table import find_metric

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_TASK = re.compile(r"[\w.\-]+")
_AT_ONE = re.compile(r"@1(?!\d)")
"""``acc@1`` is plain accuracy; ``acc@5`` is another score."""

_SPLIT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "tr", "fit"), "train"),
    **dict.fromkeys(("test", "te", "heldout", "held", "holdout"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "val"),
}
_EVALUATED = frozenset({"eval", "evaluation"})
_QUANTITY_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("loss", "ce", "nll", "xent", "crossentropy"), "loss"),
    **dict.fromkeys(("acc", "accuracy", "top1", "acc1"), "accuracy"),
    "mrr": "mrr",
    "margin": "margin",
}
_SCORES = frozenset({"accuracy", "mrr"})
# Words that neither name a split nor a quantity, yet do not change what the curve is.
_FILLER = frozenset(
    {
        *("out", "set", "mean", "avg", "average", "epoch", "step", "token", "cross", "entropy", "curve"),
        *("metric", "metrics", "pct", "percent"),
    }
)
# First parts of a name that say how a score was taken, not on which task.
_NO_TASK = _FILLER | {"batch", "running", "best", "final", "all", "overall", "total"}

_WHOSE_NORM: Mapping[str, str] = {
    **dict.fromkeys(("weight", "weights", "param", "params", "parameter", "parameters"), "weights/norm"),
    **dict.fromkeys(("grad", "grads", "gradient", "gradients"), "gradients/norm"),
}
_NORM_FILLER = frozenset({"norm", "norms", "l2", "total", "global", "train", "model"})

_PROGRESS: Mapping[frozenset[str], str] = {
    **dict.fromkeys(map(frozenset, ({"epoch"}, {"epochs"})), "progress/epochs"),
    **dict.fromkeys(
        map(frozenset, ({"tokens"}, {"tokens", "seen"}, {"num", "input", "tokens", "seen"})),
        "progress/tokens",
    ),
    **dict.fromkeys(
        map(frozenset, ({"flops"}, {"flos"}, {"total", "flops"}, {"total", "flos"})), "progress/flops"
    ),
    **dict.fromkeys(
        map(frozenset, ({"examples", "seen"}, {"samples", "seen"}, {"examples"})), "progress/examples"
    ),
    frozenset({"elapsed", "seconds"}): "progress/seconds",
}
_SUMMARY = "train_runtime"
"""Transformers' Trainer logs this at the end, and with it ``train_loss``: one mean over the whole run."""


@lru_cache(maxsize=8192)
def canonical(name: str) -> str | None:
    """Return the key for ``name``, or ``None`` if it does not plainly say which curve it is.

    Args:
        name: A metric name as some tracker stored it; a key is returned as it is.

    >>> [canonical(n) for n in ("val_acc", "eval_loss", "Train/Acc", "testAccuracy", "lr")]
    ['val/accuracy', 'val/loss', 'train/accuracy', 'test/accuracy', None]
    >>> [canonical(n) for n in ("lambada_openai/acc", "grad_norm", "epoch")]
    ['shift:lambada_openai/accuracy', 'gradients/norm', 'progress/epochs']
    >>> [canonical(n) for n in ("eval_train_accuracy", "eval_test_loss", "train_val_loss")]
    ['train/accuracy', 'test/loss', None]
    """
    if find_metric(name) is not None:
        return name
    words = _words(name)
    return _curve(words) or _norm(words) or _PROGRESS.get(words - {"train"}) or _outside_task(name)


def guesses(names: Iterable[str]) -> dict[str, str | None]:
    """Map each of ``names`` to the key that the rules give it; what a name does not say, its company may.

    A bare ``loss`` beside ``val_loss`` is the training loss, as Keras and Transformers write it.

    >>> guesses(["loss", "val_loss", "lr"])
    {'loss': 'train/loss', 'val_loss': 'val/loss', 'lr': None}
    """
    found = {name: canonical(name) for name in names}
    bare = {name: key for name in found if (key := _training_curve(name)) is not None}
    if _SUMMARY in found and "loss" in found and "train_loss" in found:
        found["train_loss"] = None
    keys = set(found.values())
    for name, key in bare.items():
        quantity = key.partition("/")[2]
        if key not in keys and keys & {f"val/{quantity}", f"test/{quantity}"}:
            found[name] = key
    return found


def resolve(names: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map each of ``names`` to a key; a user's ``overrides`` win, unknown names map to themselves.

    When two names would claim one key, the name that already is the key keeps it, else the first in
    sorted order does, and the others keep their own names: two curves are never poured into one.

    >>> resolve(["val_acc", "val/accuracy", "lr"])
    {'val_acc': 'val_acc', 'val/accuracy': 'val/accuracy', 'lr': 'lr'}
    """
    overrides = overrides or {}
    resolved = {name: overrides.get(name) or guess or name for name, guess in guesses(names).items()}
    has_clash = True
    while has_clash:  # each round sends at least one name home for good
        has_clash, taken = False, set[str]()
        # Who is at home stays; then a user's word goes before a guess.
        for name in sorted(resolved, key=lambda n: (resolved[n] != n, n not in overrides, n)):
            if resolved[name] in taken:
                resolved[name], has_clash = name, True
            taken.add(resolved[name])
    return resolved


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(_AT_ONE.sub("", name)))


def _quantities(words: frozenset[str]) -> set[str]:
    found = {_QUANTITY_WORDS[word] for word in words if word in _QUANTITY_WORDS}
    return found | ({"loss"} if {"cross", "entropy"} <= words else set[str]())


def _curve(words: frozenset[str]) -> str | None:
    splits = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
    if len(splits) > 1 and words & _EVALUATED:
        # Transformers puts "eval" before the name of each of several evaluated sets: eval_train_accuracy.
        splits = {_SPLIT_WORDS[word] for word in words - _EVALUATED if word in _SPLIT_WORDS}
    quantities = _quantities(words)
    known = _SPLIT_WORDS.keys() | _QUANTITY_WORDS.keys() | _FILLER
    if len(splits) != 1 or len(quantities) != 1 or not words <= known:
        return None
    return f"{splits.pop()}/{quantities.pop()}"


def _training_curve(name: str) -> str | None:
    words = _words(name)
    quantities = _quantities(words)
    if len(quantities) != 1 or not words <= _QUANTITY_WORDS.keys() | _FILLER:
        return None
    return f"train/{quantities.pop()}"


def _norm(words: frozenset[str]) -> str | None:
    whose = {_WHOSE_NORM[word] for word in words if word in _WHOSE_NORM}
    if len(whose) != 1 or not words & {"norm", "l2"} or not words <= _WHOSE_NORM.keys() | _NORM_FILLER:
        return None
    return whose.pop()


def _outside_task(name: str) -> str | None:
    """Read ``<task>/<score>``, possibly behind a held-out split, as evaluation harnesses write it."""
    *front, task, score = ["", *name.split("/")]
    quantities = _quantities(_words(score))
    if not _words(score) <= _QUANTITY_WORDS.keys() or len(quantities) != 1 or not quantities <= _SCORES:
        return None
    outer = [part for part in front if part]
    held_out = not outer or (len(outer) == 1 and _SPLIT_WORDS.get(outer[0].lower()) in ("val", "test"))
    if not held_out or _TASK.fullmatch(task) is None or _words(task) & (_SPLIT_WORDS.keys() | _NO_TASK):
        return None
    return f"shift:{task}/{quantities.pop()}"
