"""Columns of a table that say when a row was written."""

import polars as pl

from grokscope.importing.readers.tables.clocks import plain_name
from grokscope.importing.readers.tables.numbers import numbers

_SCALES = {"time_ms": 1.0, "_timestamp": 1000.0}
TIMES = frozenset(
    {
        "time_ms",
        "timestamp",
        "timestamps",
        "wall_time",
        "walltime",
        "datetime",
        "date",
        "created_at",
        "logged_at",
    }
)
_LIMIT = 2.0**53
_IN_MS = 1e11
"""A clock that is further than this counts milliseconds; in seconds it would be the year 5138."""
_SINCE = 1e8
"""What is smaller counts from the start of the run (a date in seconds would lie before 1973)."""


def is_time(name: str, cells: pl.Series) -> bool:
    """Say whether a column tells when each row was written, by its name and content."""
    return plain_name(name) in TIMES and _milliseconds(name, cells).null_count() < len(cells)


def times_of(table: pl.DataFrame) -> pl.Series:
    """Return when each row was written, in milliseconds since 1970; null where the table does not say.

    >>> times_of(pl.DataFrame({"Wall time": ["1700000000.5"]})).to_list()
    [1700000000500]
    >>> times_of(pl.DataFrame({"timestamp": ["2024-01-01T00:00:00"]})).to_list()
    [1704067200000]
    """
    for name in table.columns:
        if is_time(name, table[name]):
            return _milliseconds(name, table[name])
    return pl.Series([None] * table.height, dtype=pl.Int64)


def _milliseconds(name: str, cells: pl.Series) -> pl.Series:
    if cells.dtype.is_temporal():
        is_date = cells.dtype == pl.Date or cells.dtype == pl.Datetime  # noqa: PLR1714 - types compare by ==, and hash otherwise
        return cells.cast(pl.Datetime("ms")).cast(pl.Int64) if is_date else _none(cells)
    read = numbers(cells)
    if read.null_count() < len(read):
        ms = read * _SCALES[name] if name in _SCALES else _of_size(read)
        is_odd = (~ms.is_finite() | (ms.abs() > _LIMIT)).fill_null(value=False)
        return ms.set(is_odd, None).round().cast(pl.Int64)
    if cells.dtype != pl.String:
        return _none(cells)
    text = cells.str.strip_chars().str.replace(r"(?:Z|\+00:?00)$", "").str.replace(" ", "T", literal=True)
    return text.str.to_datetime(strict=False, time_unit="ms", format="%Y-%m-%dT%H:%M:%S%.f").cast(pl.Int64)


def _of_size(read: pl.Series) -> pl.Series:
    largest = read.filter(read.is_finite()).max()
    if largest is None or float(largest) < _SINCE:  # pyright: ignore[reportArgumentType]
        return read.clear().extend_constant(None, len(read))
    return read if float(largest) > _IN_MS else read * 1000.0  # pyright: ignore[reportArgumentType]


def _none(cells: pl.Series) -> pl.Series:
    return pl.Series(cells.name, [None] * len(cells), dtype=pl.Int64)
