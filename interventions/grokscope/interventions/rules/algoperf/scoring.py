"""From medians over studies to AlgoPerf's score: which times count, and why others do not."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.profiles.performance import profile_area, profile_of, ratios_to_fastest
from grokscope.interventions.profiles.study_times import FloatArray, StudyTimes
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets

TAUS: FloatArray = np.linspace(1.0, 4.0, 100)
"""Factors of the fastest time that the profile is integrated over."""

SLOWEST = 4.0
"""A time above so many times the fastest counts as not reached."""

BASE_TIMES = pl.Schema(
    {
        "group": pl.String(),
        "workload": pl.String(),
        "studies": pl.Int64(),
        "seconds": pl.Float64(),
        "ratio": pl.Float64(),
        "missing": pl.String(),
    }
)
"""One row a submission and base workload: median ``seconds``, and their ``ratio`` to the fastest that counts.

``seconds`` is null where not enough studies reached the target, ``ratio`` also where the time does not count;
``missing`` says why.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Where base workloads and held-out variants are along the axis of workloads.

    Attributes:
        base: Names of the base workloads, all of them.
        base_at: Their places; -1 of one that nobody ran.
        held_out: Names of the variants that somebody ran.
        held_out_at: Their places.
        voids: By variant, the place of its base workload in ``base``.
    """

    base: tuple[str, ...]
    base_at: NDArray[np.intp]
    held_out: tuple[str, ...]
    held_out_at: NDArray[np.intp]
    voids: NDArray[np.intp]

    @classmethod
    def of(cls, workloads: tuple[str, ...], targets: AlgoPerfTargets) -> Self:
        """Return the places of the workloads of some runs."""
        at = {name: place for place, name in enumerate(workloads)}
        held_out = tuple(name for name in targets.base_of if name in at)
        return cls(
            base=targets.base,
            base_at=np.array([at.get(name, -1) for name in targets.base], dtype=np.intp),
            held_out=held_out,
            held_out_at=np.array([at[name] for name in held_out], dtype=np.intp),
            voids=np.array([targets.base.index(targets.base_of[name]) for name in held_out], dtype=np.intp),
        )

    def counted(self, medians: FloatArray) -> FloatArray:
        """Return the times on base workloads that count, ∞ instead of the others: (…, groups, base).

        In this order: a variant is void where its base workload is not reached; on every workload, what is
        above ``SLOWEST`` times the fastest is not reached; a base workload is void where a variant of it is
        not reached. A variant that nobody ran voids nothing.

        Args:
            medians: (…, groups, workloads).
        """
        nobody = np.full((*medians.shape[:-1], 1), np.inf)
        base: FloatArray = np.concatenate([medians, nobody], axis=-1)[..., self.base_at]
        held_out: FloatArray = medians[..., self.held_out_at]
        held_out = np.where(np.isfinite(base[..., self.voids]), held_out, np.inf)
        base, held_out = _not_too_slow(base), _not_too_slow(held_out)
        for variant, place in enumerate(self.voids):
            base[..., place] = np.where(np.isfinite(held_out[..., variant]), base[..., place], np.inf)
        return base

    def scores(self, medians: FloatArray) -> FloatArray:
        """Return the areas of the profiles: (…, groups), in [0, 1]."""
        return profile_area(ratios_to_fastest(self.counted(medians)), TAUS)

    def profiles(self, medians: FloatArray) -> FloatArray:
        """Return the share of base workloads within each of ``TAUS``: (…, groups, taus)."""
        return profile_of(ratios_to_fastest(self.counted(medians)), TAUS)


def _not_too_slow(costs: FloatArray) -> FloatArray:
    """Return ∞ for what is above ``SLOWEST`` times the fastest of its workload."""
    return np.where(costs > SLOWEST * costs.min(axis=-2, keepdims=True), np.inf, costs)


def base_times(times: StudyTimes, scoring: Scoring) -> pl.DataFrame:
    """Return what each score is made of, as ``BASE_TIMES``, by group and base workload.

    >>> times = StudyTimes(groups=("a", "b"), workloads=("w",), costs=np.array([[[2.0]], [[9.0]]]))
    >>> from grokscope.interventions.outcomes.target import Target
    >>> target = Target.parse("validation/loss<=0.1")
    >>> targets = AlgoPerfTargets(base=("w",), base_of={}, targets={"w": target})
    >>> base_times(times, Scoring.of(times.workloads, targets)).select("seconds", "ratio", "missing").rows()
    [(2.0, 1.0, None), (9.0, None, 'more than 4 times the fastest')]
    """
    medians = times.medians()
    ratios = ratios_to_fastest(scoring.counted(medians))
    rows = [
        {
            "group": group,
            "workload": workload,
            "studies": times.studies[row, at] if at >= 0 else 0,
            "seconds": _finite(medians[row, at]) if at >= 0 else None,
            "ratio": _finite(ratios[row, place]),
            "missing": None if np.isfinite(ratios[row, place]) else _reason(times, scoring, row, place),
        }
        for row, group in enumerate(times.groups)
        for place, (workload, at) in enumerate(zip(scoring.base, scoring.base_at, strict=True))
    ]
    return pl.DataFrame(rows, schema=BASE_TIMES)


def _finite(value: float) -> float | None:
    """Return a number, and nothing for ∞."""
    return float(value) if np.isfinite(value) else None


def _reason(times: StudyTimes, scoring: Scoring, row: int, place: int) -> str:
    """Return why the time of a submission on a base workload does not count."""
    at = scoring.base_at[place]
    if at < 0:
        return "nobody has runs of it"
    medians = times.medians()
    if not np.isfinite(medians[row, at]):
        return _not_reached(times, row, int(at))
    if medians[row, at] > SLOWEST * medians[:, at].min():
        return f"more than {SLOWEST:g} times the fastest"
    variants = [
        (name, int(variant_at))
        for name, variant_at, base in zip(scoring.held_out, scoring.held_out_at, scoring.voids, strict=True)
        if base == place
    ]
    for name, variant_at in variants:
        if not np.isfinite(medians[row, variant_at]):
            return f"held-out {name}: {_not_reached(times, row, variant_at)}"
    names = " or ".join(name for name, _ in variants)
    return f"held-out {names}: more than {SLOWEST:g} times the fastest"


def _not_reached(times: StudyTimes, row: int, at: int) -> str:
    """Return how many studies reached the target."""
    studies = times.studies[row, at]
    reached = np.isfinite(times.costs[row, at]).sum()
    return f"{reached} of {studies} studies reached the target" if studies else "no runs"
