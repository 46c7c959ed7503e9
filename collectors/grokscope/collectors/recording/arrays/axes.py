"""The axes of an array as a user names them, with labels or without."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from grokscope.schemas.arrays import MOST_LABELS, MOST_VALUES, Axis
from grokscope.schemas.arrays.logged_array import LABEL_LENGTH
from grokscope.schemas.names import plain_text

Axes = Mapping[str, Sequence[object] | None] | Sequence[str] | None
"""Names of an array's axes, with labels or without."""


def axes_of(
    name: str, axes: Axes, shape: Sequence[int], *, warn: Callable[[str], object]
) -> tuple[Axis, ...]:
    """Return the axes of an array.

    Args:
        name: What to call it in an error.
        axes: Their names in their order, or name -> a label for each place.
        shape: Their lengths.
        warn: Takes a sentence about labels that are not kept.

    Raises:
        ValueError: If they do not fit the shape.

    >>> axes_of("norms", {"layer": ["embed"], "k": None}, [1, 2], warn=print)
    (Axis(name='layer', labels=('embed',)), Axis(name='k', labels=()))
    """
    named = _named(name, axes, len(shape))
    if len(named) != len(shape):
        raise ValueError(
            f"{name!r} has {len(shape)} axes (its shape is {list(shape)}), and {len(named)} are named: "
            f"{', '.join(named) or 'none'}; name one an axis"
        )
    return tuple(
        Axis(name=_label(axis), labels=_labels(f"axis {axis!r} of {name!r}", labels, length, warn=warn))
        for (axis, labels), length in zip(named.items(), shape, strict=True)
    )


def _named(name: str, axes: object, count: int) -> Mapping[str, object]:
    if axes is None:
        return {f"axis {place}": None for place in range(count)}
    if isinstance(axes, str):
        return {axes: None}
    if isinstance(axes, Mapping):
        return {str(axis): labels for axis, labels in cast("Mapping[object, object]", axes).items()}
    if not isinstance(axes, Iterable):
        raise ValueError(  # noqa: TRY004 - one kind of error for all that is no array
            f"the axes of {name!r} are names in their order, or name -> labels, got {type(axes).__name__}"
        )
    given = [str(axis) for axis in islice(cast("Iterable[object]", axes), MOST_VALUES)]
    if len(set(given)) != len(given):
        raise ValueError(f"two axes have one name: {', '.join(given)}")
    return dict.fromkeys(given)


def _labels(which: str, labels: object, length: int, *, warn: Callable[[str], object]) -> tuple[str, ...]:
    if labels is None:
        return ()
    # Of arrays the places' numbers themselves: 'tensor(3)' is no label.
    places: Any = getattr(labels, "tolist", lambda: labels)()
    if not isinstance(places, Iterable) or isinstance(places, set | frozenset):
        raise ValueError(  # noqa: TRY004 - as above
            f"the labels of {which} are a list in the order of its places, got {type(labels).__name__}"
        )
    found = list(islice(cast("Iterable[object]", places), MOST_VALUES + 1))
    if len(found) != length:
        raise ValueError(f"{which} has {length} places and {len(found)} labels")
    if length > MOST_LABELS:
        warn(f"{which} has {length} labels, and at most {MOST_LABELS} are kept; it is logged without them")
        return ()
    return tuple(map(_label, found))


def _label(text: object) -> str:
    return plain_text(text)[:LABEL_LENGTH] or "_"
