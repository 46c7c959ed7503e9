"""Which curve of a run is the held-out one: decided here for verdicts, tables and pages alike.

What was drawn like the training set comes first: ``test``, then ``val``, by whatever name ``canonical`` reads
as these. Shifted sets and tasks (``shift:<name>``) come after them, by name, and stand in for a test set only
beside a training curve: the scores of checkpoints alone are no run that lacks one.
"""

from collections.abc import Iterable, Mapping

from grokscope.schemas.metrics.aliases import canonical
from grokscope.schemas.metrics.table import SPLITS, is_split

ENOUGH = 2
"""Evaluations that make a curve; one that has fewer stands back for the next that has them."""

FIRST = ("test", "val")
"""Held-out splits drawn like the training set, in the order in which they count."""


def held_out_curves(metrics: Iterable[str], quantity: str) -> list[str]:
    """Return those of ``metrics`` that are held-out curves of ``quantity``, in the order in which they count.

    Args:
        metrics: Names, canonical or as another logger wrote them.
        quantity: ``accuracy`` or ``loss``, say.

    >>> held_out_curves(["shift:far/accuracy", "train/accuracy", "val_acc", "test/accuracy"], "accuracy")
    ['test/accuracy', 'val_acc', 'shift:far/accuracy']
    """
    found: list[tuple[int, str, str]] = []
    for name in metrics:
        split, _, rest = (canonical(name) or "").partition("/")
        if rest == quantity and split != "train" and is_split(split):
            found.append((FIRST.index(split) if split in FIRST else len(FIRST), split, name))
    return [name for *_, name in sorted(found)]


def held_out(evaluations: Mapping[str, int], quantity: str) -> str | None:
    """Return the held-out curve of ``quantity`` that a run is judged and shown by; ``None`` if it has none.

    Args:
        evaluations: Of one run: metric -> how many finite values it has; all of its metrics.
        quantity: ``accuracy`` or ``loss``, say.

    >>> held_out({"test/accuracy": 1, "val/accuracy": 40}, "accuracy")
    'val/accuracy'
    """
    found = held_out_curves(evaluations, quantity)
    if not any(canonical(name) == f"train/{quantity}" for name in evaluations):
        found = [name for name in found if (canonical(name) or "").partition("/")[0] in SPLITS]
    return max(found, key=lambda name: min(evaluations[name], ENOUGH), default=None)
