"""Geometric means of speed-ups over the workloads that both groups reach, and how many they do not."""

from dataclasses import dataclass

import numpy as np

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.profiles.scoreboard import LEVEL, interval_of
from grokscope.interventions.profiles.study_times import DRAWS, FloatArray, StudyTimes, TimesError


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSpeedUp:
    """How many times less ``a`` needs than ``b``, over the workloads that both reach.

    Attributes:
        a, b: The groups.
        speed_up: Above 1 where ``a`` needs less; without a value where there is no such workload.
        both, only_a, only_b, neither: How many workloads these reach. A speed-up says nothing of the
            workloads that are not in ``both``: read it beside them.
    """

    a: str
    b: str
    speed_up: Estimate
    both: int
    only_a: int
    only_b: int
    neither: int


def workload_speed_up(
    times: StudyTimes, a: str, b: str, *, draws: int = DRAWS, seed: int = 0
) -> WorkloadSpeedUp:
    """Return the geometric mean over workloads of the cost of ``b`` over that of ``a``.

        exp(mean over w of log(cost(b, w) / cost(a, w))), w reached by both in the median over studies

    A draw of the bootstrap takes the workloads that both reach in this draw.

    A workload that one of them has reached at no cost has no ratio, and is left out.

    Raises:
        TimesError: If there is no such group.

    >>> costs = np.array([[[1.0], [2.0], [5.0]], [[4.0], [2.0], [np.inf]]])
    >>> times = StudyTimes(groups=("a", "b"), workloads=("u", "v", "w"), costs=costs)
    >>> found = workload_speed_up(times, "a", "b")
    >>> round(found.speed_up.value, 6), found.both, found.only_a
    (2.0, 2, 1)
    """
    places = _places(times, a, b)
    medians = times.medians()[places]
    drawn = _geometric_mean(times.resampled_medians(draws=draws, seed=seed)[:, places])
    has_a, has_b = np.isfinite(medians)
    value = float(_geometric_mean(medians))
    if np.isfinite(value):
        has_repeats = bool((times.studies[places] > 1).any())
        speed_up = interval_of(value, drawn, has_repeats=has_repeats)
    else:
        speed_up = Estimate(value=None, level=LEVEL, missing="no workload is reached by both")
    return WorkloadSpeedUp(
        a=a,
        b=b,
        speed_up=speed_up,
        both=int((has_a & has_b).sum()),
        only_a=int((has_a & ~has_b).sum()),
        only_b=int((~has_a & has_b).sum()),
        neither=int((~has_a & ~has_b).sum()),
    )


def _places(times: StudyTimes, a: str, b: str) -> list[int]:
    """Return where the groups are."""
    unknown = [group for group in (a, b) if group not in times.groups]
    if unknown:
        raise TimesError(f"no group {unknown[0]!r} in these times; there are {', '.join(times.groups)}")
    return [times.groups.index(a), times.groups.index(b)]


def _geometric_mean(costs: FloatArray) -> FloatArray:
    """Return the geometric mean of second over first along the last axis: NaN where no workload has both."""
    has_both = (np.isfinite(costs) & (costs > 0)).all(axis=-2)
    logs = np.log(np.where(has_both, costs[..., 1, :], 1.0)) - np.log(
        np.where(has_both, costs[..., 0, :], 1.0)
    )
    number = has_both.sum(axis=-1)
    mean = np.divide(logs.sum(axis=-1), number, out=np.full_like(logs[..., 0], np.nan), where=number > 0)
    return np.exp(mean)
