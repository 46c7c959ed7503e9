"""Comparisons by a published rule: AlgoPerf's score, and the speedrun's test of a record."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.algoperf import AlgoPerfResult, algoperf_scores
from grokscope.interventions.rules.algoperf_targets import AlgoPerfTargets
from grokscope.schemas import GrokscopeError

_MOST_BYTES = 64 << 20


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
        if path.stat().st_size > _MOST_BYTES:
            raise RuleError(f"{str(path)!r} is larger than {_MOST_BYTES >> 20} MB; that is no file of a rule")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RuleError(
            f"{str(path)!r} cannot be read as JSON ({error}); give the rule's own file"
        ) from error


def by_speedrun(
    observed: ObservedRuns, target: Target, *, by: Sequence[str], results: Path | None
) -> Comparison:
    raise NotImplementedError
