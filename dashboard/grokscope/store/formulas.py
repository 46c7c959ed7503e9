"""Texts that a spreadsheet would compute: CSV files carry them with ``'`` in front, and readers take it off.

A spreadsheet takes a cell for a formula by how it begins, whatever wrote the file: it would compute what a
stranger's run is called. Some look past what cannot be seen, and take a character for its wider twin. So any
text that begins with one of these is marked, and with ``'`` too, which tells marked texts from others.
"""

import re

import polars as pl
import polars.selectors as cs

# All that Unicode calls compatible with = + - @, and the minus sign.
_SIGNS = "=+-@−⁺⁻⁼₊₋₌⩵⩶﬩﹢﹣﹦﹫＋－＝＠"  # noqa: RUF001 - look-alikes are what this is about
# Spaces, controls, marks and fillers: what does not show, or not by itself.
_UNSEEN = r"\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}\x{2800}"
_FIRST = f"['{re.escape(_SIGNS)}{_UNSEEN}]"


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` with ``'`` before texts, and names of columns, that a spreadsheet would compute.

    Numbers stay numbers, and what differs still differs.

    >>> guarded(pl.DataFrame({"metric": ["=1+1", " @x", "loss", "it's"]}))["metric"].to_list()
    ["'=1+1", "' @x", 'loss', "it's"]
    """
    texts = frame.with_columns((cs.categorical() | cs.enum()).cast(pl.String))
    return _with_names(texts.with_columns(_guarded(cs.string())), _guarded(pl.col("name")))


def unguarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` as it was before ``guarded``; what that would not have marked stays as it is.

    >>> unguarded(pl.DataFrame({"metric": ["'=1+1", "it's", "'quoted'"]}))["metric"].to_list()
    ['=1+1', "it's", "'quoted'"]
    """
    return _with_names(frame.with_columns(_unguarded(cs.string())), _unguarded(pl.col("name")))


def _guarded(text: pl.Expr) -> pl.Expr:
    is_read = text.str.contains(f"^{_FIRST}")
    return pl.when(is_read).then(pl.lit("'") + text).otherwise(text).name.keep()


def _unguarded(text: pl.Expr) -> pl.Expr:
    is_marked = text.str.contains(f"^'{_FIRST}")
    return pl.when(is_marked).then(text.str.slice(1)).otherwise(text).name.keep()


def _with_names(frame: pl.DataFrame, changed: pl.Expr) -> pl.DataFrame:
    names = pl.DataFrame({"name": frame.columns}, schema={"name": pl.String})
    return frame.rename(dict(zip(frame.columns, names.select(changed)["name"], strict=True)))
