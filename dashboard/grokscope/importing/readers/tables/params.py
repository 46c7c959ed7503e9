"""Columns of a tidy table that say what its runs were made with, as ``grokscope compare`` reads them too."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from grokscope.importing.readers.tables.clocks import is_clock
from grokscope.importing.readers.tables.numbers import numbers
from grokscope.importing.readers.tables.times import is_time
from grokscope.schemas.runs.settings import flat_settings
from grokscope.schemas.runs.table_params import STATUS, UNITS, ParamColumns, param_columns

_STATUSES = frozenset({"FINISHED", "FAILED", "KILLED"})
"""MLflow's words for how a run ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRuns:
    """What a table says of its runs; a run without a name is ``""``.

    Attributes:
        params: Run -> name -> text, as it stands in the table; secrets are withheld.
        status: Run -> MLflow's word for how it ended.
        note: What is to be said of columns that are no params.
    """

    params: Mapping[str, Mapping[str, str]]
    status: Mapping[str, str]
    note: str | None


def told_runs(frame: pl.DataFrame, runs: pl.Series, *, taken: Collection[str | None]) -> ToldRuns:
    """Return the params of the runs of a tidy table: columns that have one value a run.

    Args:
        frame: The cells.
        runs: Which run each row belongs to; null where there is but one.
        taken: Columns that are something else.

    >>> frame = pl.DataFrame({"lr": ["1e-3", "1e-3", "0.10"], "note": ["x", "y", "z"]})
    >>> told = told_runs(frame, pl.Series(["a", "a", "b"]), taken=())
    >>> told.params, told.note
    ({'a': {'lr': '1e-3'}, 'b': {'lr': '0.10'}}, 'note differ within a run and are not read as params')
    """
    others = [name for name in frame.columns if name in taken or _is_no_param(name, frame[name])]
    keyed = frame.drop(others).with_columns(runs.fill_null("").alias(_RUN))
    found = param_columns(keyed, run=_RUN)
    first = keyed.group_by(_RUN, maintain_order=True).agg(
        pl.col(name).drop_nulls().first() for name in found.params
    )
    rows = {str(row.pop(_RUN)): row for row in first.iter_rows(named=True)}
    status = {run: word for run, row in rows.items() if (word := _status(row.get(STATUS))) is not None}
    # A word of its own for how runs ended is no status of MLflow's, so it stays a param.
    passed = {STATUS} if len(status) == len(rows) else set[str]()
    params = {
        run: flat_settings({k: v for k, v in row.items() if v is not None and k not in passed})
        for run, row in rows.items()
    }
    varying = tuple(name for name in found.varying if not is_clock(name))
    return ToldRuns(
        params=params, status=status, note=ParamColumns(params=found.params, varying=varying).note
    )


_RUN = "\0run"
"""No column of a file is called so."""


def _is_no_param(name: str, cells: pl.Series) -> bool:
    counts = name in UNITS and numbers(cells).null_count() == cells.null_count()
    return (
        not name.strip()
        or counts
        or cells.dtype.is_nested()
        or cells.dtype == pl.Binary
        or is_time(name, cells)
    )


def _status(cell: object) -> str | None:
    word = str(cell).strip().upper()
    return word if word in _STATUSES else None
