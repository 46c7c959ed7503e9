"""What can be named in a query on some runs, with values to offer: bounded, and never a secret."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.runs.query.evaluation import STATUSES, words_for_patterns
from grokscope.schemas.runs.query.facts import Facts
from grokscope.schemas.runs.query.names import Names
from grokscope.schemas.runs.withholding import withheld
from grokscope.schemas.secrets import WITHHELD

MOST_VALUES = 50
"""Of one param: those that most runs have."""

_LONGEST = 80
_TIMES = ("1h", "1d", "7d")


def names_of(facts: Facts) -> Names:
    """Return what can be named, and the most frequent values of each param, tag, group and seed.

    >>> names_of(Facts.of_table(pl.DataFrame({"run_id": ["a", "b"], "lr": [10.0, 2.0]}))).values["lr"]
    ['2.0', '10.0']
    """
    names = Names.of(facts)
    values = dict(_seen(facts.params))
    values |= {} if facts.tags is None else {f"tag.{tag}": found for tag, found in _seen(facts.tags).items()}
    for name in ("group", "seed"):
        if name in names.fields:
            column = facts.runs.select(
                "run_id", pl.lit(name).alias("key"), pl.col(name).cast(pl.String).alias("value")
            )
            values |= _seen(column)
    fixed: Mapping[str, Sequence[str]] = {
        "status": STATUSES[:4],
        "pattern": list(words_for_patterns(facts)),
        "started": _TIMES,
        "ended": _TIMES,
        "duration": _TIMES,
    }
    return replace(names, values=values | {name: fixed[name] for name in fixed if name in names.fields})


def _seen(pairs: pl.DataFrame) -> dict[str, list[str]]:
    counted = pairs.drop_nulls("value").group_by("key", "value").len()
    most = counted.sort(["len", "value"], descending=[True, False]).group_by("key").head(MOST_VALUES)
    found: dict[str, list[str]] = {}
    for (key,), rows in most.group_by("key"):
        values, told = rows["value"], withheld(rows["value"].rename(str(key)))
        kept = values.filter((values == told) & (values != WITHHELD) & (values.str.len_chars() <= _LONGEST))
        found[str(key)] = natural(kept.to_list())
    return found
