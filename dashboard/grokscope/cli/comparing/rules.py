"""Comparisons by a published rule: AlgoPerf's score, and the speedrun's test of a record."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.comparing.grouping import written
from grokscope.interventions.comparing.records import Comparison, GroupResult
from grokscope.interventions.outcomes.estimand import PLANNED, Estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.algoperf.scores import AlgoPerfResult, algoperf_scores
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets
from grokscope.interventions.rules.speedrun.claims import speedrun_claims
from grokscope.interventions.rules.speedrun.records import SpeedrunResult, distinct, speedrun_records
from grokscope.interventions.rules.speedrun.results import PublishedResults
from grokscope.schemas import GrokscopeError
from grokscope.schemas.runs.query import named_param
from grokscope.schemas.workers import HERE, Workers

_MOST_BYTES = 64 << 20
_OF_A_RECORD = ("steps", "mean", "rule_value", "e_value", "passes", "survives", "planned", "logs")


class RuleError(GrokscopeError):
    """A file that a rule needs and that cannot be read."""


def by_algoperf(observed: ObservedRuns, targets: Path) -> Comparison:
    """Return the scores of submissions by AlgoPerf's rule, the best first.

    Raises:
        RuleError: If the targets cannot be read.
        GrokscopeError: If they are no targets, or the runs lack what the rule needs.
    """
    params = [name for name in ("submission", "workload", "study", "trial") if name in observed.params]
    evaluations = observed.curves.join(observed.runs.select("run_id", *params), on="run_id", how="left")
    found = algoperf_scores(evaluations, AlgoPerfTargets.parse(_json(targets)))
    return Comparison(
        target=None,
        estimand=Estimand.ANYTIME,
        count_in="seconds",
        scores=found.scoreboard.scores,
        ranks=found.scoreboard.ranks,
        sentence=_sentence(found),
        caveats=(*observed.notes, *found.caveats),
    )


def _sentence(found: AlgoPerfResult) -> str:
    name, first = next(iter(found.scoreboard.scores.items()))
    ends = f" [{first.low:.2f}, {first.high:.2f}]" if first.low is not None and first.high is not None else ""
    trials = f"{found.reached:,} of {found.trials:,} trials reached their target"
    return f"{name} scores highest: {first.value:.4f}{ends}; {trials}."


def _json(path: Path) -> Any:
    try:
        if path.exists() and not path.is_file():
            raise RuleError(f"{str(path)!r} is no regular file; give the rule's own file")
        if path.stat().st_size > _MOST_BYTES:
            raise RuleError(f"{str(path)!r} is larger than {_MOST_BYTES >> 20} MB; that is no file of a rule")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RuleError(
            f"{str(path)!r} cannot be read as JSON ({error}); give the rule's own file"
        ) from error


def by_speedrun(
    observed: ObservedRuns,
    target: Target,
    *,
    by: Sequence[str],
    results: Path | None,
    workers: Workers = HERE,
) -> Comparison:
    """Return what the speedrun's rule says of each group, the fewest steps first, and of published results.

    Args:
        observed: The runs.
        target: The rule's.
        by: The one param that tells the records.
        results: A file of published ones.
        workers: Who compares the groups.

    Raises:
        RuleError: If the groups are not made by one param, or the results cannot be read.
        GrokscopeError: If they are no results, or the runs lack what the rule needs.
    """
    if len(by) != 1:
        raise RuleError(
            f"--rule speedrun needs the one param that tells the records, got {len(by)}; give --by"
        )
    param = named_param(by[0], observed.params)
    known = [name for name in {param, PLANNED} if name in observed.params]
    curves = observed.curves.join(observed.runs.select("run_id", *known), on="run_id", how="left")
    found = speedrun_records(curves, target, by=param)
    # Each run is annealed to its planned length, and the rule reads single steps within it.
    counted = _counted(observed, found, param)
    compared = compare(counted, target=target, by=by, estimand=Estimand.ANYTIME, workers=workers)
    records = {str(row["group"]): row for row in found.records.iter_rows(named=True)}
    groups = [
        _with_record(group, records[group.group]) for group in compared.groups if group.group in records
    ]
    published = None if results is None else PublishedResults.parse(_json(results))
    claims = pl.DataFrame() if published is None else speedrun_claims(curves, published, target)
    return replace(
        compared,
        groups=tuple(sorted(groups, key=_by_steps)),
        tuning=compared.tuning.clear(),  # a record is no search
        claims=claims,
        sentence=" ".join([_records_said(found.records), *_claims_said(claims)]),
        caveats=(*compared.caveats, *found.caveats),
    )


def _counted(observed: ObservedRuns, found: SpeedrunResult, param: str) -> ObservedRuns:
    """Return the runs that the rule counts: once each, of the planned number that a record is shown at."""
    runs = observed.runs.with_columns(written(observed.runs[param]).alias("group"))
    runs = distinct(runs, found.copies)
    if PLANNED in runs.columns:
        shown = found.records.select("group", pl.col("planned").cast(runs[PLANNED].dtype).alias(PLANNED))
        runs = runs.join(shown, on=["group", PLANNED], how="semi", nulls_equal=True)
    return replace(observed, runs=runs.drop("group"))


def _with_record(group: GroupResult, record: Mapping[str, Any]) -> GroupResult:
    more = {name: record[name] for name in _OF_A_RECORD}
    return replace(group, n=record["n"], more=more)


def _by_steps(group: GroupResult) -> tuple[bool, float, str]:
    steps = group.more["steps"]
    return (not group.more["passes"], float("inf") if steps is None else steps, group.group)


def _records_said(records: pl.DataFrame) -> str:
    passing = records.filter("passes").sort("steps", "group")
    lasting = passing.filter("survives")
    said = f"The rule holds for {passing.height:,} of {records.height:,} groups"
    if lasting.is_empty():
        return f"{said}; none of them would survive looking at any time (an e-value of 20)."
    best = lasting.row(0, named=True)
    return (
        f"{said}; {lasting.height:,} of them survive looking at any time (an e-value of 20), "
        f"the first {best['group']} at {best['steps']:,} steps."
    )


def _claims_said(claims: pl.DataFrame) -> Iterator[str]:
    if claims.is_empty():
        return
    with_logs = claims.filter(pl.col("found") > 0)
    yield (
        f"Of {claims.height:,} published results {with_logs.height:,} have logs; "
        f"{with_logs['agrees'].sum():,} of these come out at the published number of steps, and "
        f"{with_logs['survives'].sum():,} have an e-value of 20 or more there."
    )
