"""What is known of runs when a query is decided."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from grokscope.schemas.verdicts.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Runs at one moment. What is ``None`` is not known of any run: a condition on it is refused.

    Attributes:
        runs: One row a run, no id twice: ``run_id``, and as far as they are known ``name``, ``status``
            (MLflow's word), ``started_ms``, ``ended_ms`` (Unix times in ms), ``seed``, ``group``.
        params: ``run_id, key, value``, one row a param of a run, values as texts.
        tags: The same of tags.
        metric_names: What metrics the runs have, by the names that ``metrics`` takes.
        metrics: Gives ``run_id, metric, last, min, max`` of the metrics that it is asked for; called once at
            most, and only where a query names a metric.
        verdicts: Run id -> verdict; a run without one has no pattern and no dates.
        pattern_words: Word that is shown for a pattern -> its value: ``fit only`` -> ``memorization``.
        now_ms: The moment, Unix time in ms.
    """

    runs: pl.DataFrame
    params: pl.DataFrame
    tags: pl.DataFrame | None = None
    metric_names: Collection[str] = ()
    metrics: Callable[[Sequence[str]], pl.DataFrame] | None = None
    verdicts: Mapping[str, Verdict] | None = None
    pattern_words: Mapping[str, str] = field(default_factory=dict[str, str])
    now_ms: int

    @classmethod
    def of_table(cls, runs: pl.DataFrame) -> "Facts":
        """Return the facts of one row a run with a column for each param.

        ``run_id``, ``name`` and ``status`` are no params; nothing else is known.

        >>> Facts.of_table(pl.DataFrame({"run_id": ["a"], "lr": [0.1]})).params.rows()
        [('a', 'lr', '0.1')]
        """
        own = [name for name in ("run_id", "name", "status") if name in runs.columns]
        params = [pl.col(name).cast(pl.String) for name in runs.columns if name not in own]
        long = runs.select("run_id", *params).unpivot(index="run_id", variable_name="key", value_name="value")
        return cls(runs=runs.select(own), params=long.drop_nulls(), now_ms=0)


def ends_of_curves(curves: pl.DataFrame) -> pl.DataFrame:
    """Return ``last``, ``min`` and ``max`` of curves, by run and metric; what is no number does not count.

    Args:
        curves: ``run_id, metric, step, value``.

    >>> curves = pl.DataFrame({"run_id": "a", "metric": "loss", "step": [2, 1], "value": [1.0, 3.0]})
    >>> ends_of_curves(curves).rows()
    [('a', 'loss', 1.0, 1.0, 3.0)]
    """
    value = pl.col("value").fill_nan(None)
    last = value.sort_by("step").drop_nulls().last().alias("last")
    return curves.group_by("run_id", "metric").agg(last, value.min().alias("min"), value.max().alias("max"))
