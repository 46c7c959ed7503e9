"""Which columns of a tidy table, with one value a row, are params of its runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

UNIT_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "examples": "progress/examples",
        "tokens": "progress/tokens",
        "flops": "progress/flops",
        "seconds": "progress/seconds",
        "epochs": "progress/epochs",
    }
)
"""Unit -> the metric that counts it."""

UNITS = tuple(UNIT_METRICS)
"""Columns of numbers that count what was spent, whatever they hold."""

POINTS = frozenset({"run_id", "name", "experiment", "metric", "step", "time_ms", "value", "is_nan"})
"""Columns that a point itself has; ``is_nan`` is one of MLflow's."""

STATUS = "status"
"""The column that says how a run ended, which is no param."""

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamColumns:
    """Columns beside those of the points.

    Attributes:
        params: Have at most one value a run.
        varying: Differ within a run, and are no params.
    """

    params: tuple[str, ...]
    varying: tuple[str, ...]

    @property
    def note(self) -> str | None:
        """What is to be said of the columns that are left out, without a full stop; ``None`` if nothing.

        >>> ParamColumns(params=("lr",), varying=("note", "host")).note
        'note, host differ within a run and are not read as params'
        """
        if not self.varying:
            return None
        more = len(self.varying) - _MOST_NAMED
        named = ", ".join(self.varying[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        return f"{named} differ within a run and are not read as params"


def param_columns(table: pl.DataFrame, *, run: str, others: Collection[str] = ()) -> ParamColumns:
    """Return which columns are params: those with one value a run, or none, that are nothing else.

    Args:
        table: One row a value.
        run: The column that tells runs apart.
        others: Columns that are something else, beside ``POINTS`` and the ``run``: what counts steps, units.

    >>> rows = {"run": ["a", "a", "b"], "lr": ["1e-3", None, "0.1"], "note": ["x", "y", "x"], "step": 0}
    >>> found = param_columns(pl.DataFrame(rows), run="run")
    >>> found.params, found.varying
    (('lr',), ('note',))
    """
    taken = {run, *POINTS, *others}
    columns = [name for name in table.columns if name not in taken]
    if not columns:
        return ParamColumns(params=(), varying=())
    values = table.group_by(run).agg(pl.col(columns).drop_nulls().n_unique())
    most = values.select(pl.col(columns).max()).row(0, named=True)
    return ParamColumns(
        params=tuple(name for name in columns if (most[name] or 0) <= 1),
        varying=tuple(name for name in columns if (most[name] or 0) > 1),
    )
