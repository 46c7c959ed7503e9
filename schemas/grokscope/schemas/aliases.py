"""Other people's metric names, mapped to ours by rule.

``val_acc``, ``eval_loss``, ``Train/Acc`` and ``test_accuracy`` all say the same two things: a split and
a quantity. The rule reads the words of a name, so that one table serves every separator and order.
"""

import re
from collections.abc import Iterable, Mapping

from grokscope.schemas.metrics import find_metric

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_SPLIT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "tr", "fit"), "train"),
    **dict.fromkeys(("test", "te", "heldout", "held", "holdout"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "val"),
}
_QUANTITY_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("loss", "ce", "nll", "xent", "crossentropy"), "loss"),
    **dict.fromkeys(("acc", "accuracy", "top1", "acc1"), "accuracy"),
    "mrr": "mrr",
    "margin": "margin",
}
# Words that neither name a split nor a quantity, yet do not change what the curve is.
_FILLER = frozenset({"out", "set", "mean", "avg", "average", "epoch", "step", "cross", "entropy", "curve"})


def canonical(name: str) -> str | None:
    """Return our key for ``name``, or ``None`` if it is not plainly a curve of a split.

    Args:
        name: A metric name as some tracker stored it; a key of ours is returned as it is.

    >>> [canonical(n) for n in ("val_acc", "eval_loss", "Train/Acc", "testAccuracy", "lambada/acc")]
    ['val/accuracy', 'val/loss', 'train/accuracy', 'test/accuracy', None]
    """
    if find_metric(name) is not None:
        return name
    words = [word.lower() for word in _WORD.findall(name)]
    splits = {_SPLIT_WORDS[w] for w in words if w in _SPLIT_WORDS}
    quantities = {_QUANTITY_WORDS[w] for w in words if w in _QUANTITY_WORDS}
    if {"cross", "entropy"} <= set(words):
        quantities.add("loss")
    known = _SPLIT_WORDS.keys() | _QUANTITY_WORDS.keys() | _FILLER
    if len(splits) != 1 or len(quantities) != 1 or not set(words) <= known:
        return None
    return f"{splits.pop()}/{quantities.pop()}"


def resolve(names: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map each of ``names`` to a key of ours; a user's ``overrides`` win, unknown names map to themselves.

    When two names would claim one key, the name that already is the key keeps it, else the first in
    sorted order does, and the others keep their own names: two curves are never poured into one.

    >>> resolve(["val_acc", "val/accuracy", "lr"])
    {'val_acc': 'val_acc', 'val/accuracy': 'val/accuracy', 'lr': 'lr'}
    """
    overrides = overrides or {}
    resolved = {name: overrides.get(name) or canonical(name) or name for name in names}
    has_clash = True
    while has_clash:  # each round sends at least one name home for good
        has_clash, taken = False, set[str]()
        # Who is at home stays; then a user's word goes before a guess.
        for name in sorted(resolved, key=lambda n: (resolved[n] != n, n not in overrides, n)):
            if resolved[name] in taken:
                resolved[name], has_clash = name, True
            taken.add(resolved[name])
    return resolved
