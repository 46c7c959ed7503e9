"""Params whose values are secrets: runs are compared and shown without them."""

import re

import polars as pl

from grokscope.schemas.secrets import WITHHELD, is_secret, may_be_secret, redacted

_SHORTEST = 12
_NAMES = re.compile(r"[:=\s]")
"""Without one of these, a text so short that it is no key holds no secret."""


def without_secrets(runs: pl.DataFrame) -> pl.DataFrame:
    """Return one row a run with the secrets in its columns withheld; ids stay as they are.

    >>> runs = pl.DataFrame({"run_id": ["a"], "api_key": ["x9"], "db": ["mysql://ann:pw@h/d"], "lr": [0.1]})
    >>> without_secrets(runs).rows()
    [('a', '[withheld]', 'mysql://h/d', 0.1)]
    """
    return runs.with_columns(_withheld(runs[name]) for name in runs.columns if name != "run_id")


def _withheld(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if not isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        secret = kind.is_numeric() and is_secret(column.name, 0)
        return column.cast(pl.String).replace_strict({}, default=WITHHELD) if secret else column
    texts = column.cast(pl.String)
    changed = {
        text: shown
        for text in texts.drop_nulls().unique().to_list()
        if (len(text) >= _SHORTEST or _NAMES.search(text) or may_be_secret(column.name))
        and (shown := WITHHELD if is_secret(column.name, text) else redacted(text)) != text
    }
    return texts.replace(changed) if changed else column
