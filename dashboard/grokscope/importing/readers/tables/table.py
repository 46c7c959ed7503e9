"""A table as its file has it, before it is said what its columns are."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table from a file.

    Attributes:
        frame: Its cells, texts where the file is one.
        notes: What is to be said of how it was read.
        is_semicolon: The file has ``;`` between cells, as where the decimal sign is a comma.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    is_semicolon: bool = False


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence, not too many of them.

    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    shown = ", ".join(repr(name[:40]) for name in names[:8])
    return (shown or "none") + (f" and {len(names) - 8} more" if len(names) > 8 else "")  # noqa: PLR2004
