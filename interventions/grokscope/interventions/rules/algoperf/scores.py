"""AlgoPerf's score of training algorithms by its published rule, with the intervals that it lacks.

A trial reaches the target at the first evaluation whose validation metric is at or beyond it. Of a study's
trials the one counts that did so at the earliest evaluation by number, with its seconds. A submission's time
on a workload is the median over studies. The score is the area of the performance profile over the base
workloads, once times that do not count are taken as not reached (``Scoring.counted``).

Source: Dahl et al. 2023, arXiv 2306.07179, §4–5; Kasimbeg et al. 2025, arXiv 2502.15015.
"""

from dataclasses import dataclass

import polars as pl

from grokscope.interventions.profiles.performance import profile_frame
from grokscope.interventions.profiles.scoreboard import Scoreboard, scoreboard_of
from grokscope.interventions.profiles.study_times import DRAWS, StudyTimes
from grokscope.interventions.rules.algoperf.caveats import caveats_of
from grokscope.interventions.rules.algoperf.scoring import TAUS, Scoring, base_times
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets
from grokscope.interventions.rules.algoperf.trials import study_times_of, trials_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoPerfResult:
    """Scores, and what they are made of.

    Attributes:
        scoreboard: Scores with intervals, probabilities of ranks and of the order.
        trials, reached: How many trials there are, and how many of them reached their target; of all
            workloads with a target, also those that are not scored.
        times: ``BASE_TIMES``.
        profiles: ``PROFILE`` on ``TAUS``.
        caveats: What to know before the scores are used, one sentence each.
    """

    scoreboard: Scoreboard
    trials: int
    reached: int
    times: pl.DataFrame
    profiles: pl.DataFrame
    caveats: tuple[str, ...]


def algoperf_scores(
    evaluations: pl.DataFrame, targets: AlgoPerfTargets, *, draws: int = DRAWS, seed: int = 0
) -> AlgoPerfResult:
    """Return the scores of all submissions by AlgoPerf's rule.

    Args:
        evaluations: ``EVALUATIONS`` of ``rules.algoperf.trials``, in any order.
        targets: What the workloads must reach.
        draws: Of the bootstrap over studies.
        seed: Equal seeds give equal intervals.

    Raises:
        AlgoPerfRunsError: If a column is missing, or no run is of a workload with a target.

    >>> row = {"submission": "a", "workload": "w", "study": 0, "trial": 1, "step": 5, "seconds": 9.0}
    >>> runs = pl.DataFrame(row | {"metric": "validation/loss", "value": 0.1})
    >>> level = {"target_metric_name": "loss", "validation_target_value": 0.1}
    >>> data = {"base_workloads": ["w"], "held_out_workloads": [], "workloads": {"w": level}}
    >>> result = algoperf_scores(runs, AlgoPerfTargets.parse(data))
    >>> round(result.scoreboard.scores["a"].value, 6), result.reached
    (1.0, 1)
    """
    trials = trials_of(evaluations, targets)
    times = StudyTimes.of(study_times_of(trials))
    scoring = Scoring.of(times.workloads, targets)
    board = scoreboard_of(times, scoring.scores, draws=draws, seed=seed)
    workloads = frozenset(evaluations["workload"].cast(pl.String).unique().drop_nulls())
    return AlgoPerfResult(
        scoreboard=board,
        trials=trials.height,
        reached=int(trials["reached"].sum()),
        times=base_times(times, scoring),
        profiles=profile_frame(times.groups, scoring.profiles(times.medians()), TAUS),
        caveats=tuple(caveats_of(workloads, trials, board, targets)),
    )
