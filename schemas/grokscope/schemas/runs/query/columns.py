"""What conditions are decided on: one column a name, in the order of the runs; null where a run lacks it."""

from collections.abc import Sequence

import polars as pl

from grokscope.schemas.metrics.measure import Direction
from grokscope.schemas.metrics.scores import score_of
from grokscope.schemas.metrics.table import find_metric
from grokscope.schemas.runs.query.conditions import Term
from grokscope.schemas.runs.query.errors import QueryError, shown
from grokscope.schemas.runs.query.facts import Facts
from grokscope.schemas.runs.query.names import Named, Of
from grokscope.schemas.runs.withholding import withheld
from grokscope.schemas.verdicts.transition import Kind
from grokscope.schemas.verdicts.verdict import Pattern, Verdict

_RUNNING = "running"


class Columns:
    """The columns of some facts; each is made once.

    Args:
        facts: What is known of the runs.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._ids = facts.runs.select("run_id")
        self._made: dict[Named, pl.Series] = {}
        self._lowered: dict[Named, pl.Series] = {}
        self._parsed: dict[Named, pl.Series] = {}
        self._metrics: pl.DataFrame | None = None

    def read_metrics(self, named: Sequence[Named]) -> None:
        """Read all metrics that are named, at once."""
        names = sorted({one.name for one in named})
        if names and self._facts.metrics is not None:
            self._metrics = self._facts.metrics(names)

    def texts(self, named: Named) -> pl.Series:
        """Return a field, param or tag as texts; secrets are withheld."""
        if named not in self._made:
            self._made[named] = self._texts(named).rename(named.name)
        return self._made[named]

    def lowered(self, named: Named) -> pl.Series:
        """Return ``texts`` in small letters."""
        if named not in self._lowered:
            self._lowered[named] = self.texts(named).str.to_lowercase()
        return self._lowered[named]

    def parsed(self, named: Named) -> pl.Series:
        """Return the numbers among ``texts``; null where a text is none, or NaN."""
        if named not in self._parsed:
            self._parsed[named] = self.texts(named).cast(pl.Float64, strict=False).fill_nan(None)
        return self._parsed[named]

    def numbers(self, named: Named, term: Term) -> pl.Series:
        """Return a date in steps, a time or a duration in ms, or what of a metric is named.

        Raises:
            QueryError: If the best of a metric is asked for and nobody knows which way is better.
        """
        if named not in self._made:
            found = self._of_metric(named, term) if named.of is Of.METRIC else self._of_field(named.name)
            self._made[named] = found.cast(pl.Float64).fill_nan(None)
        return self._made[named]

    def diverged(self) -> pl.Series:
        """Return which runs diverged and show no other pattern."""
        verdicts = self._verdicts()
        return pl.Series(
            [
                None if one is None else one.pattern is Pattern.OTHER and _has_diverged(one)
                for one in verdicts
            ],
            dtype=pl.Boolean,
        )

    def _texts(self, named: Named) -> pl.Series:
        if named.of is Of.FIELD and named.name == "pattern":
            found = [None if one is None else one.pattern.value for one in self._verdicts()]
            return pl.Series(found, dtype=pl.String)
        if named.of is Of.FIELD:
            return self._facts.runs[named.name].cast(pl.String)
        pairs = self._facts.params if named.of is Of.PARAM else self._facts.tags
        if pairs is None:  # pragma: no cover - its name would not have been known
            return pl.Series([None] * self._ids.height, dtype=pl.String)
        own = pairs.filter(pl.col("key") == named.name).unique("run_id", keep="last", maintain_order=True)
        joined = self._ids.join(own, on="run_id", how="left", maintain_order="left")
        return withheld(joined["value"].cast(pl.String).rename(named.name))

    def _of_field(self, name: str) -> pl.Series:
        runs = self._facts.runs
        if name in ("started", "ended"):
            return runs[f"{name}_ms"]
        if name == "duration":
            return runs.select(_end(runs.columns, self._facts.now_ms) - pl.col("started_ms")).to_series()
        dates = [None if one is None else getattr(one, name) for one in self._verdicts()]
        unit = "steps" if name == "delay" else "step"
        return pl.Series([None if one is None else getattr(one, unit) for one in dates], dtype=pl.Float64)

    def _of_metric(self, named: Named, term: Term) -> pl.Series:
        column = _best_is(named.name, term) if named.function == "best" else named.function
        if self._metrics is None:  # pragma: no cover - its name would not have been known
            return pl.Series([None] * self._ids.height, dtype=pl.Float64)
        own = self._metrics.filter(pl.col("metric") == named.name).unique("run_id", keep="last")
        joined = self._ids.join(own, on="run_id", how="left", maintain_order="left")
        return joined[column]

    def _verdicts(self) -> list[Verdict | None]:
        known = self._facts.verdicts or {}
        return [known.get(run) for run in self._ids["run_id"]]


def _end(columns: Sequence[str], now_ms: int) -> pl.Expr:
    """Return when a run ended: for one that is running, now; else null where nobody said."""
    ended = pl.col("ended_ms") if "ended_ms" in columns else pl.lit(None, dtype=pl.Int64)
    if "status" not in columns:
        return ended
    is_running = pl.col("status").cast(pl.String).str.to_lowercase() == _RUNNING
    return pl.when(is_running).then(pl.lit(now_ms)).otherwise(ended)


def _best_is(metric: str, term: Term) -> str:
    score, measure = score_of(metric), find_metric(metric)
    if score is not None:
        return "max" if score.higher_is_better else "min"
    if measure is not None and measure.direction is not Direction.NONE:
        return "max" if measure.direction is Direction.UP else "min"
    raise QueryError(
        f"which way {shown(metric)} is better is not known; use min() or max()", place=term.place
    )


def _has_diverged(verdict: Verdict) -> bool:
    return any(event.kind is Kind.DIVERGENCE for event in verdict.transitions)
