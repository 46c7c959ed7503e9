"""Cells of a table as numbers: percent signs, decimal commas, thousands separators, NaN and infinities."""

import polars as pl

from grokscope.importing.readers.json_values import number

_SPACES = " \u00a0\u202f\u2009"
_GROUPED_BY_SPACE = rf"^[+-]?\d{{1,3}}(?:[{_SPACES}']\d{{3}})+(?:[.,]\d+)?$"
_GROUPED = r"^[+-]?\d{1,3}(?:,\d{3})+$"
_WITH_COMMA = r"^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$"
_COMMA_LAST = r"^[+-]?\d[\d.]*,\d+(?:[eE][+-]?\d+)?$"
_POINT_LAST = r"^[+-]?\d[\d,]*,\d+\.\d*(?:[eE][+-]?\d+)?$"
_WITH_POINT = r"^[+-]?\d*\.\d+(?:[eE][+-]?\d+)?$"


def numbers(cells: pl.Series, *, is_semicolon: bool = False) -> pl.Series:
    """Return the numbers of a column as Float64; what is none is null.

    Args:
        cells: Texts as in a file, or numbers.
        is_semicolon: The file has ``;`` between cells, as where the decimal sign is a comma.

    >>> numbers(pl.Series(["0,5", "1.234,5", "x", None])).to_list()
    [0.5, 1234.5, None, None]
    >>> numbers(pl.Series(["1,234", " 90.1 %", '"3"', "Infinity"])).to_list()
    [1234.0, 90.1, 3.0, inf]
    """
    if cells.dtype.is_numeric() and not cells.dtype.is_nested():
        return cells.cast(pl.Float64)
    if cells.dtype != pl.String:
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.Float64)
    bare = _bare(cells)
    plain = bare.cast(pl.Float64, strict=False)
    odd = bare.filter(plain.is_null() & bare.is_not_null()).unique()
    if odd.is_empty():
        return plain
    words = {word: value for word in odd.to_list() if (value := number(word)) is not None}
    read = bare.replace_strict(words, default=None, return_dtype=pl.Float64)
    found = plain.fill_null(read)
    if not odd.str.contains(rf"\d[,{_SPACES}']\d|,\d").any():
        return found
    return _with_signs(bare, plain, found, is_semicolon=is_semicolon)


def whole_numbers(cells: pl.Series) -> pl.Series:
    """Return the whole numbers of a column as Int64, exact however large; what is none is null."""
    if cells.dtype == pl.String:
        return _bare(cells).cast(pl.Int64, strict=False)
    if cells.dtype.is_integer():
        return cells.cast(pl.Int64, strict=False)
    return pl.Series(cells.name, [None] * len(cells), dtype=pl.Int64)


def _bare(cells: pl.Series) -> pl.Series:
    return cells.str.strip_chars(f"\t\r\"'{_SPACES}").str.strip_suffix("%").str.strip_chars_end(_SPACES)


def _with_signs(bare: pl.Series, plain: pl.Series, found: pl.Series, *, is_semicolon: bool) -> pl.Series:
    """Return ``found`` with the cells that have commas or grouped digits; the column says which."""
    grouped = bare.str.contains(_GROUPED_BY_SPACE).fill_null(value=False)
    bare = bare.str.replace_all(rf"[{_SPACES}']", "").zip_with(grouped, bare)
    unread = bare.filter(found.is_null() & bare.is_not_null())
    if unread.str.contains(_POINT_LAST).any():
        is_decimal = False
    else:
        single = unread.filter(unread.str.contains(_WITH_COMMA))
        surely = unread.str.contains(r"\..*,").any() or (~single.str.contains(_GROUPED)).any()
        surely = surely or single.str.contains(r"^[+-]?0,").any()
        has_points = bare.filter(plain.is_not_null()).str.contains(_WITH_POINT).any()
        is_decimal = bool(surely) or (is_semicolon and not has_points)
    if is_decimal:
        has_comma = bare.str.contains(_COMMA_LAST) | bare.str.contains(_WITH_COMMA)
        read = bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        has_comma = bare.str.contains(_GROUPED) | bare.str.contains(_POINT_LAST)
        read = bare.str.replace_all(",", "", literal=True)
    is_number = has_comma | grouped
    value = read.cast(pl.Float64, strict=False)
    return found.fill_null(value.set(~is_number.fill_null(value=False), None))
