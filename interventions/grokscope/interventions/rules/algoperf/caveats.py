"""What to know before AlgoPerf's scores of some runs are used, one sentence each."""

from collections.abc import Iterator
from itertools import product

import polars as pl

from grokscope.interventions.profiles.scoreboard import Scoreboard
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets


def caveats_of(
    workloads: frozenset[str], trials: pl.DataFrame, board: Scoreboard, targets: AlgoPerfTargets
) -> Iterator[str]:
    """Yield sentences.

    Args:
        workloads: Of all runs, also those without a target.
        trials: ``NAMES`` and ``TRIALS`` of ``rules.algoperf.trials``.
        board: The scores.
        targets: What was to be reached.
    """
    yield from _absent(workloads, targets)
    scored = trials.filter(pl.col("workload").is_in([*targets.base, *targets.base_of]))
    yield from _unequal(scored, tuple(board.scores))
    for before, after, probability in board.unsettled:
        yield (
            f"The order of {before} and {after} is not settled: {before} has the higher score in "
            f"{100 * probability:.1f} % of the draws."
        )
    studies = scored.group_by("submission", "workload").agg(pl.col("study").n_unique())["study"].max()
    yield (
        f"The intervals draw studies anew within workloads, of which a submission has at most {studies}; the "
        "workloads are taken as given, so they say nothing of other workloads."
    )


def _absent(workloads: frozenset[str], targets: AlgoPerfTargets) -> Iterator[str]:
    """Yield what the runs lack of the targets, and the targets of the runs."""
    base = [name for name in targets.base if name not in workloads]
    if base:
        most = len(targets.base) - len(base)
        yield (
            f"No run is of {', '.join(base)}: reached by nobody, so no score can be above "
            f"{most}/{len(targets.base)}."
        )
    held_out = [name for name in targets.base_of if name not in workloads]
    if held_out:
        yield f"No run is of the held-out {', '.join(held_out)}: these variants void nothing."
    unknown = sorted(workloads - targets.targets.keys())
    if unknown:
        yield f"Passed over, because the targets do not have these workloads: {', '.join(unknown)}."


def _unequal(scored: pl.DataFrame, groups: tuple[str, ...]) -> Iterator[str]:
    """Yield which submissions have no runs of a workload, or fewer than most."""
    runs = scored.group_by("submission", "workload").agg(pl.len())
    counts = {(group, workload): number for group, workload, number in runs.rows()}
    usual = dict(runs.group_by("workload").agg(pl.col("len").mode().max()).rows())
    pairs = product(sorted(groups), sorted(usual))
    none = [f"{group} of {name}" for group, name in pairs if (group, name) not in counts]
    if none:
        yield f"No runs, so not reached: {'; '.join(none)}."
    few = [
        f"{group} of {name} ({number} of {usual[name]})"
        for (group, name), number in sorted(counts.items())
        if number < usual[name]
    ]
    if few:
        yield f"Fewer trials than most submissions have, which is a smaller tuning budget: {'; '.join(few)}."
