"""Params whose values are secrets: runs are compared and shown without them."""

import re
from functools import lru_cache

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
    return runs.with_columns(withheld(runs[name]) for name in runs.columns if name != "run_id")


def withheld(column: pl.Series) -> pl.Series:
    """Return the values of one param, by whose name the column is called, with its secrets withheld.

    >>> withheld(pl.Series("hub_token", ["x9", None])).to_list()
    ['[withheld]', None]
    """
    kind = column.dtype
    if not isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        secret = kind.is_numeric() and is_secret(column.name, 0)
        return column.cast(pl.String).replace_strict({}, default=WITHHELD) if secret else column
    texts = column.cast(pl.String)
    changed = {
        text: shown
        for text in texts.drop_nulls().unique().to_list()
        if (len(text) >= _SHORTEST or _NAMES.search(text) or may_be_secret(column.name))
        and (shown := _shown(column.name, text)) != text
    }
    return texts.replace(changed) if changed else column


@lru_cache(maxsize=50_000)  # an experiment is asked about again with every letter that is typed
def _shown(name: str, text: str) -> str:
    return WITHHELD if is_secret(name, text) else redacted(text)
