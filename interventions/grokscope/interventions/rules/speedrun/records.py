"""The speedrun's rule: the fewest steps at which the mean of some runs is below the target by enough.

    (target - mean) · √n ≥ .004

Runs of one planned number of steps are taken together. At each step at which all of them were evaluated the
rule is read, and the first step at which it holds is the result. Logs that repeat another one count once.

Source: the rules of track 3 of the GPT-2 speedrun, github.com/KellerJordan/modded-nanogpt.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import polars as pl

from grokscope.interventions.noise.replicates import copies_of
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.speedrun.ladder import rungs_of, runs_of
from grokscope.interventions.rules.speedrun.peeking import pooled_sd, with_inflation
from grokscope.interventions.rules.speedrun.record import (
    MARGIN,
    RECORDS,
    SURVIVES,
    SpeedrunRecord,
    record_of,
)

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedrunResult:
    """What the rule says of all groups.

    Attributes:
        records: ``RECORDS``, by group.
        copies: ``COPIES`` of ``noise.replicates``: logs that repeat another one, in whatever group that is.
        sd, df: Standard deviation of a run, pooled over groups at their steps, and its degrees of freedom;
            ``None`` where no group has two runs.
        caveats: What to know before the records are used, one sentence each.
    """

    records: pl.DataFrame
    copies: pl.DataFrame
    sd: float | None
    df: int
    caveats: tuple[str, ...]


def speedrun_records(
    curves: pl.DataFrame, target: Target, *, by: str, margin: float = MARGIN
) -> SpeedrunResult:
    """Return for each group the fewest steps at which the rule holds.

    Args:
        curves: ``run_id``, ``metric``, ``step``, ``value``, the column ``by``, and ``planned`` where runs
            were planned for different numbers of steps; rows of other metrics are passed over.
        target: The level that the mean must be beyond.
        by: The column that tells the groups.
        margin: In the unit of the metric.

    Raises:
        SpeedrunError: If a column is missing, or nothing has the metric.

    >>> rows = [("a", 9, 10, 3.29), ("a", 9, 20, 3.27), ("b", 9, 10, 3.28), ("b", 9, 20, 3.272)]
    >>> curves = pl.DataFrame(rows, schema=["run_id", "planned", "step", "value"], orient="row")
    >>> curves = curves.with_columns(metric=pl.lit("val_loss"), record=pl.lit("mine"))
    >>> found = speedrun_records(curves, Target.parse("val_loss<=3.28"), by="record").records
    >>> found.select("steps", pl.col("mean").round(4), "n", pl.col("rule_value").round(4)).rows()
    [(20, 3.271, 2, 0.0127)]
    """
    runs = runs_of(curves, target, by=by)
    copies = copies_of(runs.with_columns(metric=pl.lit(target.metric)))
    found = records_of(runs, copies, target, margin=margin)
    records = pl.DataFrame([asdict(record) for record in found.values()], schema=RECORDS)
    sd, df = pooled_sd(found)
    return SpeedrunResult(
        records=records, copies=copies, sd=sd, df=df, caveats=tuple(_caveats(records, copies))
    )


def records_of(
    runs: pl.DataFrame, copies: pl.DataFrame, target: Target, *, margin: float = MARGIN
) -> dict[str, SpeedrunRecord]:
    """Return what the rule says of each group, by name.

    Args:
        runs: ``RUNS`` of ``rules.speedrun.ladder``.
        copies: ``COPIES`` of ``noise.replicates``.
        target: The level that the mean must be beyond.
        margin: In the unit of the metric.
    """
    logs = dict(runs.group_by("group").agg(pl.col("run_id").n_unique()).rows())
    found = {
        name: replace(record_of(name, rungs, target, margin=margin), logs=logs[name])
        for name, rungs in rungs_of(distinct(runs, copies))
    }
    return with_inflation(found, margin=margin)


def distinct(runs: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Return the runs without those whose original is in the same group.

    >>> runs = pl.DataFrame({"group": ["g", "g", "h"], "run_id": ["a", "b", "b"]})
    >>> distinct(runs, pl.DataFrame({"run_id": ["b"], "copy_of": ["a"]})).rows()
    [('g', 'a'), ('h', 'b')]
    """
    originals = runs.select("group", copy_of="run_id").unique()
    repeated = copies.join(originals, on="copy_of").select("group", "run_id")
    return runs.join(repeated, on=["group", "run_id"], how="anti", maintain_order="left")


def _caveats(records: pl.DataFrame, copies: pl.DataFrame) -> Iterator[str]:
    """Yield what to know before the records are used."""
    if copies.height:
        names, more = copies["run_id"].to_list(), copies.height - _MOST_NAMED
        others = f" and {more:,} more" if more > 0 else ""
        yield (
            "Logs that are copies of another, equal wherever both were evaluated, count once in a group: "
            f"{', '.join(names[:_MOST_NAMED])}{others}."
        )
    never = records.filter(~pl.col("passes"))["group"].to_list()
    if never:
        yield f"The rule holds at no step of {', '.join(never)}: the last step is shown."
    most = records.sort("n", descending=True).row(0, named=True)
    if most["inflation"] is not None:
        yield (
            f"Looked at after each of {most['n']} runs, the rule passes with a chance of "
            f"{100 * most['inflation']:.2g} % though there is no gain."
        )
    weak = records.filter(pl.col("passes") & ~pl.col("survives"))["group"].to_list()
    if weak:
        yield (
            f"The rule holds, and an e-value below {SURVIVES:g} says that looking again and again could be "
            f"why: {', '.join(weak)}."
        )
    yield (
        "The first step at which the rule holds is chosen among all evaluations: its mean and its "
        "e-value are a little better than those of new runs at that step would be."
    )
