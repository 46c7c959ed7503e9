"""One outcome of one run: which dimension it is of, what it was read from, and why it is missing."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Dimension(StrEnum):
    """What an outcome is about.

    Source: Lin 2026, "Grokking and Beyond: Toward Understanding Generalization in Transformer Pretraining".
    """

    QUALITY = "generalization quality"
    DATA = "data efficiency"
    COMPUTE = "compute efficiency"
    RELIABILITY = "reliability under shift"
    DYNAMICS = "generalization dynamics"


DIMENSIONS = pl.Schema(
    {
        "run_id": pl.String(),
        "dimension": pl.String(),
        "outcome": pl.String(),
        "curve": pl.String(),
        "unit": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "missing": pl.String(),
    }
)
"""One row a run and outcome, and a row for each shifted set where the outcome has one.

``curve``: what it was read from. ``low``, ``high``: between which the value is known to be, where evaluations
bound it; ``high`` is null of a cost that is still growing. ``missing``: why there is no value.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An outcome that every run has or lacks.

    Attributes:
        dimension: What it is about.
        name: What it is called.
        curve: What it is read from.
        unit: ``"1"`` when dimensionless.
        why: What is said of a run that has none.
    """

    dimension: Dimension
    name: str
    curve: str
    unit: str
    why: str

    def rows(self, runs: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
        """Return one row of ``DIMENSIONS`` a run.

        Args:
            runs: ``run_id``.
            values: ``run_id``, ``value``, and where there are any ``low``, ``high`` and ``missing``.

        >>> outcome = Outcome(dimension=Dimension.DATA, name="n", curve="c", unit="1", why="no n")
        >>> values = pl.DataFrame({"run_id": ["a"], "value": [1.0]})
        >>> outcome.rows(pl.DataFrame({"run_id": ["a", "b"]}), values).select("value", "missing").rows()
        [(1.0, None), (None, 'no n')]
        """
        absent = [name for name in ("low", "high", "missing") if name not in values.columns]
        return (
            runs.join(values, on="run_id", how="left", maintain_order="left")
            .with_columns(pl.lit(None).alias(name) for name in absent)
            .with_columns(
                dimension=pl.lit(self.dimension.value),
                outcome=pl.lit(self.name),
                curve=pl.lit(self.curve),
                unit=pl.lit(self.unit),
                value=pl.col("value").fill_nan(None),
                missing=pl.when(pl.col("value").is_null() | pl.col("value").is_nan()).then(
                    pl.col("missing").cast(pl.String).fill_null(self.why)
                ),
            )
            .select(pl.col(name).cast(kind) for name, kind in DIMENSIONS.items())
        )
