"""Performance profiles: on which share of the workloads a group is within a factor of the fastest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.interventions.profiles.performance import PROFILE, performance_profiles
from grokscope.interventions.profiles.study_times import StudyTimes

FARTHEST = 4.0
"""Factor up to which profiles are drawn: AlgoPerf scores up to this one, too."""
_STEPS = 121


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Profiles of groups.

    Attributes:
        curves: ``PROFILE``; empty where nothing can be told.
        workloads: How many there are.
        sentence: What there is, or why nothing can be told.
    """

    curves: pl.DataFrame
    workloads: int
    sentence: str


def workload_options(rows: pl.DataFrame, settings: pl.DataFrame, labels: Sequence[str]) -> list[str]:
    """Return the variables whose values can stand for workloads: two groups were run at two of them or more.

    Args:
        rows: ``REACHING``.
        settings: ``run_id`` and a column a variable.
        labels: Names of the variables.
    """
    known = rows.filter("is_setting").join(settings, on="run_id", maintain_order="left")
    found = list[str]()
    for name in labels:
        per_group = known.filter(pl.col(name).is_not_null()).group_by("group").agg(pl.col(name).n_unique())
        if (per_group[name] > 1).sum() > 1 and known[name].n_unique() <= _MOST_WORKLOADS:
            found.append(name)
    return found


_MOST_WORKLOADS = 24


def profile_of_groups(rows: pl.DataFrame, settings: pl.DataFrame, *, workload: str) -> Profile:
    """Return the profiles of the groups that were run on every workload that any group was run on.

    Args:
        rows: ``REACHING``.
        settings: ``run_id`` and a column a variable.
        workload: The variable whose values are the workloads.
    """
    known = rows.filter("is_setting").join(settings.select("run_id", workload), on="run_id")
    times = known.filter(pl.col(workload).is_not_null()).select(
        "group",
        pl.col(workload).cast(pl.String).alias("workload"),
        pl.when("reached").then("at").alias("cost"),
    )
    count = times["workload"].n_unique()
    per_group = times.group_by("group").agg(pl.col("workload").n_unique())
    complete = per_group.filter(pl.col("workload") == count)["group"].to_list()
    left = per_group.height - len(complete)
    if len(complete) < 2 or count < 2:  # noqa: PLR2004 - nothing to compare
        reason = f"{len(complete)} groups were run on all {count} values of {workload}, and two are needed."
        return Profile(curves=PROFILE.to_frame(), workloads=count, sentence=reason)
    kept = times.filter(pl.col("group").is_in(complete))
    curves = performance_profiles(StudyTimes.of(kept), np.linspace(1, FARTHEST, _STEPS))
    return Profile(curves=curves, workloads=count, sentence=_sentence(curves, count, workload, left))


def _sentence(curves: pl.DataFrame, workloads: int, workload: str, left: int) -> str:
    first = curves.filter(pl.col("tau") == 1).sort("share", "group", descending=[True, False])
    best, share = first.select("group", "share").row(0)
    number = round(share * workloads)
    out = f" {left} groups were not run on all of them and are left out." if left else ""
    return (
        f"{best} is the fastest on {number} of {workloads} values of {workload}, by medians of runs; "
        f"{workloads} workloads are few, and they are taken as given.{out}"
    )
