"""What is said of a query that cannot be read or decided."""

import difflib
from collections.abc import Iterable
from itertools import islice

from grokscope.schemas.errors import GrokscopeError

_MOST_SHOWN = 60
_CLOSE = 0.6
_LONGEST, _MOST_COMPARED = 100, 2000


class QueryError(GrokscopeError):
    """A query that cannot be read, or that names what the runs do not have.

    Attributes:
        place: Where in the text, counted from 0; ``None`` where it is no single place. The message counts
            from 1.
    """

    def __init__(self, sentence: str, *, place: int | None = None) -> None:
        super().__init__(sentence if place is None else f"at {place + 1}: {sentence}")
        self.place = place


def shown(text: str) -> str:
    """Return a part of a query as an error quotes it: on one line, and not too long.

    >>> shown("a" * 100)[-3:]
    "a…'"
    """
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…")


def closest(name: str, known: Iterable[str]) -> str:
    """Return which known name looks most like ``name``, as the end of a sentence; ``""`` if none does.

    >>> closest("patern", ["pattern", "lr"]), closest("x", ["pattern"])
    ("; closest: 'pattern'", '')
    """
    by_folded = {one[:_LONGEST].casefold(): one for one in islice(known, _MOST_COMPARED)}
    found = difflib.get_close_matches(name[:_LONGEST].casefold(), by_folded, n=1, cutoff=_CLOSE)
    return f"; closest: {shown(by_folded[found[0]])}" if found else ""
