"""What differs between runs: their params and the code that they ran."""

from collections.abc import Mapping, Sequence

import polars as pl

from grokscope.dashboard.words.escaping import plain
from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.runs.settings import flat_settings

MOST_COLUMNS = 8
"""Runs side by side; more columns than this are not read."""

NONE = "–"
"""What stands where a run has no such value."""

CODE = "mlflow.source.git.commit"
_CODE_NAMES: Mapping[str, str] = {
    CODE: "code version",
    "mlflow.source.git.branch": "branch",
    "mlflow.source.name": "program",
}
_SHORT = 12


def config_diff(
    labels: Mapping[str, str],
    params: Mapping[str, Mapping[str, str]],
    tags: Mapping[str, Mapping[str, str]],
) -> pl.DataFrame:
    """Return the params and the code versions in which runs differ.

    Args:
        labels: Run id -> what to call it, in the order of the columns; no two alike.
        params: Run id -> params as they were logged; secrets are withheld here.
        tags: Run id -> tags, of which the code's are taken.

    Returns:
        ``name`` and a column a run, texts all; no rows where all is the same.

    >>> params = {"a": {"lr": "1", "wd": "0"}, "b": {"lr": "1"}}
    >>> config_diff({"a": "first", "b": "second"}, params, {}).rows()
    [('wd', '0', '–')]
    """
    runs = list(labels)
    values = {run: {**_code(tags.get(run, {})), **flat_settings(params.get(run, {}))} for run in runs}
    code = list(dict.fromkeys(_CODE_NAMES.values()))
    names = {name for own in values.values() for name in own}
    ordered = [*(n for n in code if n in names), *natural(names - set(code))]
    rows = [
        (plain(name), *(_shown(name, values[run].get(name)) for run in runs))
        for name in ordered
        if len({values[run].get(name) for run in runs}) > 1
    ]
    schema = {"name": pl.String(), **{labels[run]: pl.String() for run in runs}}
    return pl.DataFrame(rows, schema=schema, orient="row")


def same_in_all(params: Sequence[Mapping[str, str]]) -> int:
    """Return how many params have one value in all runs.

    >>> same_in_all([{"lr": "1", "wd": "0"}, {"lr": "1"}])
    1
    """
    names = {name for own in params for name in own}
    return sum(len({own.get(name) for own in params}) == 1 for name in names)


def _code(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: tags[tag] for tag, name in _CODE_NAMES.items() if tag in tags}


def _shown(name: str, value: str | None) -> str:
    if value is None:
        return NONE
    return plain(value)[:_SHORT] if name == _CODE_NAMES[CODE] else plain(value)
