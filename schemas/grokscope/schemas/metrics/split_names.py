"""What people call the sets that they measure on, as splits in keys.

Synonyms of a split are read as it (``valid``, ``dev``, ``holdout``). Any other name is a set of its own: held
out as ``shift:<name>``, unless its words say that it is of the training data: it keeps its own name.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from grokscope.schemas.errors import GrokscopeError
from grokscope.schemas.metrics.table import SPLITS, is_split
from grokscope.schemas.metrics.vocabulary import EVALUATED, HINTS, QUALIFIERS, SPLIT_OF
from grokscope.schemas.metrics.words import words_of

_USABLE = re.compile(r"(?:shift:)?[\w.\-]+")
_NUMBER = re.compile(r"(?<=[a-z])(?=\d)", re.IGNORECASE)
_LONGEST = 100


class UnusableSplitError(GrokscopeError):
    """A name that no split can have."""


def split_names(names: Iterable[str]) -> dict[str, str]:
    """Map the names of sets that are measured together to their splits, no two to one.

    Args:
        names: As people call them.

    Raises:
        UnusableSplitError: If a key cannot hold a name, as one with a slash.

    >>> split_names(["train", "valid", "Holdout", "test_ood"])
    {'train': 'train', 'valid': 'val', 'Holdout': 'test', 'test_ood': 'shift:test_ood'}
    >>> split_names(["val", "validation", "train", "train_eval"])
    {'val': 'val', 'validation': 'shift:validation', 'train': 'train', 'train_eval': 'train_eval'}
    """
    given = tuple(names)
    found: dict[str, str] = {name: name for name in given if name in SPLITS}
    for name in given:
        if name not in found:
            split, is_trained = _read(name)
            # Apart from its number, or the name would be read as a task's.
            own = _NUMBER.sub("_", name) if is_trained and split is None else name
            own = own if is_trained or is_split(name) else f"shift:{name}"
            found[name] = own if split is None or split in found.values() else split
    return {name: found[name] for name in given}


def split_name(name: str) -> str:
    """Return the split that a set of this name is, by itself.

    Raises:
        UnusableSplitError: If a key cannot hold the name.

    >>> [split_name(name) for name in ("dev", "VAL", "eval_set", "val1", "shift:rotated", "train2")]
    ['val', 'val', 'val', 'shift:val1', 'shift:rotated', 'train_2']
    """
    return split_names([name])[name]


def splits_of(names: Iterable[str]) -> frozenset[str]:
    """Return the splits that sets of these names are together; where one can name none, the names as given.

    >>> sorted(splits_of(["train", "valid"])), sorted(splits_of(["a/b"]))
    (['train', 'val'], ['a/b'])
    """
    given = tuple(names)
    try:
        return frozenset(split_names(given).values())
    except UnusableSplitError:
        return frozenset(given)


@lru_cache(maxsize=1024)
def _read(name: object) -> tuple[str | None, bool]:
    """Return the split that ``name`` is another word for, if any, and whether it is of the training data."""
    if not isinstance(name, str) or not _USABLE.fullmatch(name) or len(name) > _LONGEST:
        shown = f"{name!r:.50}"
        raise UnusableSplitError(
            f"{shown} cannot name a split: a name is 1 to {_LONGEST} letters, digits, '_', '-' or '.', such "
            "as train, test, val or test_ood; rename it"
        )
    if is_split(name):
        return name, name == "train"
    words = words_of(_NUMBER.sub("_", name))
    named = {word for word in words if word in SPLIT_OF}
    if len({SPLIT_OF[word] for word in named}) > 1:
        named -= EVALUATED
    splits = {SPLIT_OF[word] for word in named}
    has_more = any(word not in SPLIT_OF and word not in QUALIFIERS for word in words)
    if len(splits) == 1 and not has_more and not EVALUATED & (set(words) - named):
        split = next(iter(splits))
        return split, split == "train"
    is_hinted = not splits and HINTS.get(" ".join(words), ("", ""))[0] == "train"
    return None, splits == {"train"} or is_hinted
