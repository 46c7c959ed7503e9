"""What a reviewer would ask of a comparison: of its seeds, its repeats, its looks and what was left out."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from grokscope.interventions.amounts import amount
from grokscope.interventions.comparing.grouping import seed_param, written
from grokscope.interventions.comparing.pairs import MOST_IN_PAIRS
from grokscope.interventions.comparing.records import Comparison, Contrast
from grokscope.interventions.noise.e_process import difference_e_process
from grokscope.interventions.noise.peeking import T_TEST, inflation
from grokscope.interventions.noise.replicates import independent_runs, repeated_seeds, shared_curves
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.outcomes.observed import ObservedRuns

DECIDED = 20.0
"""An e-value from which on a difference is shown at any look: 1 in 20 reaches it where there is none."""

_ALPHA = 0.05
_NAMED = 5
_LABEL = "label of the group"  # a param may be called group


class Answer(StrEnum):
    """What a question comes to."""

    FINE = "fine"
    DOUBT = "doubt"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question and its answer.

    Attributes:
        asked: The question.
        answer: What it comes to.
        because: Why, in one or two sentences with the numbers.
    """

    asked: str
    answer: Answer
    because: str


def questions_of(found: Comparison, observed: ObservedRuns) -> tuple[Question, ...]:
    """Return what a reviewer would ask of a comparison, with the answers that its runs give.

    Args:
        found: The comparison.
        observed: The runs that it was made of.
    """
    mine = observed.curves.filter(pl.col("run_id").is_in(found.costs["run_id"].implode()))
    return (
        _seeds(found, observed),
        _repeats(found, mine),
        _sizes(found),
        _power(found),
        _many(found),
        _unfinished(found),
        _stopped(found),
        _confounded(found, observed),
        _peeking(found),
    )


def _seeds(found: Comparison, observed: ObservedRuns) -> Question:
    asked = "Are seeds missing?"
    if seed_param(observed.params) is None:
        because = "No seed is logged, so nobody can tell whether runs were left out."
        return Question(asked=asked, answer=Answer.UNKNOWN, because=because)
    have: dict[str, set[str]] = {}
    for group, seed in found.costs.select("group", "seed").drop_nulls().iter_rows():
        have.setdefault(group, set()).add(seed)
    every = set[str]().union(*have.values())
    shared = every.intersection(*have.values())
    if len(have) > 1 and 2 * len(shared) < len(every):
        because = "Each group has seeds of its own, so nobody can tell whether some were left out."
        return Question(asked=asked, answer=Answer.UNKNOWN, because=because)
    lacking = {group: sorted(every - seeds, key=_natural) for group, seeds in have.items() if every - seeds}
    whole = [int(seed) for seed in every if seed.isdecimal()]
    gaps = sorted(set(range(min(whole), max(whole) + 1)) - set(whole)) if len(whole) == len(every) > 1 else []
    told = [f"{group} lacks {_listed(seeds)}" for group, seeds in list(lacking.items())[:_NAMED]]
    if gaps and len(gaps) <= len(whole):
        told.append(f"no group has {_listed(list(map(str, gaps)))}")
    if not told:
        return Question(
            asked=asked, answer=Answer.FINE, because=f"Every group has the same {len(every):,} seeds."
        )
    return Question(
        asked=asked, answer=Answer.DOUBT, because=f"Of the seeds that others have, {'; '.join(told)}."
    )


def _repeats(found: Comparison, curves: pl.DataFrame) -> Question:
    asked = "Are repeats counted as seeds?"
    repeats = shared_curves(curves)
    same = repeated_seeds(found.costs)
    told = [f"{len(one.runs)} runs have {one.kind.replace('shared', 'a shared')}" for one in repeats[:_NAMED]]
    if same:
        told.append(f"{sum(len(one.runs) for one in same):,} runs share seed and settings with another")
    if not told:
        return Question(asked=asked, answer=Answer.FINE, because="No two runs begin alike to the last digit.")
    effective = ", ".join(
        f"{group}: {independent_runs(part['run_id'], (*repeats, *same)):,} of {part.height:,}"
        for (group,), part in list(found.costs.group_by("group", maintain_order=True))[:_NAMED]
    )
    because = f"{'; '.join(told)}. Independent runs are {effective}."
    return Question(asked=asked, answer=Answer.DOUBT, because=because[0].upper() + because[1:])


def _sizes(found: Comparison) -> Question:
    asked = "Do the groups have equally many runs?"
    sizes = {group.group: group.n for group in found.groups}
    least, most = min(sizes.values()), max(sizes.values())
    if least == most:
        return Question(asked=asked, answer=Answer.FINE, because=f"Each has {least:,}.")
    because = f"They have {least:,} to {most:,}: were runs added where the result was not liked, or left out?"
    return Question(asked=asked, answer=Answer.DOUBT, because=because)


def _power(found: Comparison) -> Question:
    asked = "Could so few runs show anything?"
    unable = [one for one in found.contrasts if one.attainable_p > _ALPHA]
    together = _tests(found) * min((one.attainable_p for one in found.contrasts), default=1.0)
    if not found.contrasts:
        return Question(
            asked=asked, answer=Answer.UNKNOWN, because="There is one group; nothing is compared."
        )
    if unable:
        worst = max(one.attainable_p for one in unable)
        because = (
            f"In {len(unable):,} of {len(found.contrasts):,} pairs no result can be below p = {worst:.2g}."
        )
        return Question(asked=asked, answer=Answer.DOUBT, because=because)
    if together > _ALPHA:
        because = (
            f"By itself each pair could, but with Holm's correction of {_tests(found):,} pairs no "
            f"result can be below p = {together:.2g}."
        )
        return Question(asked=asked, answer=Answer.DOUBT, because=because)
    because = f"Every pair can reach p = {max(one.attainable_p for one in found.contrasts):.2g}."
    return Question(asked=asked, answer=Answer.FINE, because=because)


def _tests(found: Comparison) -> int:
    """Return how many pairs were looked at: of many groups only those of the cheapest are shown."""
    groups = len(found.groups)
    return math.comb(groups, 2) if groups > MOST_IN_PAIRS else len(found.contrasts)


def _many(found: Comparison) -> Question:
    asked = "Does it survive that many pairs were looked at?"
    alone = [one for one in found.contrasts if one.p is not None and one.p < _ALPHA]
    lost = [one for one in alone if one.adjusted_p is not None and one.adjusted_p >= _ALPHA]
    if not alone:
        return Question(asked=asked, answer=Answer.UNKNOWN, because="No pair has p < .05 even by itself.")
    if lost:
        pairs = ", ".join(f"{one.a} / {one.b}" for one in lost[:_NAMED])
        because = f"{len(lost):,} of {len(alone):,} findings are lost by Holm's correction: {pairs}."
        return Question(asked=asked, answer=Answer.DOUBT, because=because)
    return Question(
        asked=asked, answer=Answer.FINE, because=f"All {len(alone):,} findings do, by Holm's correction."
    )


def _unfinished(found: Comparison) -> Question:
    asked = "Would the answer be another one without the runs that did not get there?"
    costs = found.costs
    open_runs = costs.filter(~pl.col("reached")).height
    if not open_runs:
        return Question(asked=asked, answer=Answer.FINE, because="Every run reached the target.")
    # The median as the groups have it: the first cost at which half of the runs are there.
    kept = costs.filter(pl.col("reached")).group_by("group")
    medians = kept.agg(pl.col("high").quantile(0.5, "lower").alias("median")).sort("median", "group")
    dropped = dict(medians.iter_rows())
    shares = f"{open_runs:,} of {costs.height:,} runs did not get there"
    changed = [
        f"{group.group} {amount(dropped[group.group])} instead of "
        f"{'none' if group.median.value is None else amount(group.median.value)}"
        for group in found.groups
        if group.group in dropped and dropped[group.group] != group.median.value
    ]
    order = [group.group for group in found.groups if group.group in dropped]
    if not changed:
        return Question(asked=asked, answer=Answer.FINE, because=f"{shares}; the medians would be the same.")
    first = next(iter(dropped))
    turned = f" {first} would then come first." if order and first != order[0] else ""
    because = f"{shares}. Without them the medians would be {'; '.join(changed[:_NAMED])}.{turned}"
    return Question(asked=asked, answer=Answer.DOUBT if turned else Answer.FINE, because=because)


def _stopped(found: Comparison) -> Question:
    asked = "Were runs stopped because they looked bad?"
    ends = found.costs.group_by("end").len()
    count = dict(ends.iter_rows()).get(End.STOPPED.value, 0)
    if not count:
        return Question(asked=asked, answer=Answer.FINE, because="No run was stopped short of its plan.")
    because = (
        f"{count:,} were stopped short of their plan; the estimates take that as unrelated to how they did."
    )
    return Question(asked=asked, answer=Answer.UNKNOWN, because=because)


def _confounded(found: Comparison, observed: ObservedRuns) -> Question:
    asked = "Do the groups differ in anything else?"
    # A param may be called group, too.
    labels = found.costs.select("run_id", pl.col("group").alias(_LABEL))
    placed = labels.join(observed.runs, on="run_id", how="inner")
    params = [name for name in observed.params if placed[name].n_unique() > 1]
    within = placed.group_by(_LABEL).agg(pl.col(params).n_unique()) if params else pl.DataFrame()
    tied = [name for name in params if within[name].max() == 1]
    # What the groups were made by is tied to them, of course.
    others = [name for name in tied if not _makes(placed, name)]
    if others:
        because = f"Also {', '.join(others[:_NAMED])} differ between groups, and never within one."
        return Question(asked=asked, answer=Answer.DOUBT, because=because)
    return Question(asked=asked, answer=Answer.FINE, because="In none of the params that were logged.")


def _makes(placed: pl.DataFrame, name: str) -> bool:
    """Return whether a param is what the groups' labels are made of."""
    value = written(placed[name])
    labels = placed[_LABEL]
    return bool(
        (labels == value).all() or labels.str.contains(f"{name.rpartition('.')[2]}=", literal=True).all()
    )


def _peeking(found: Comparison) -> Question:
    asked = "Would it hold if seeds had been added until it passed?"
    shown = [one for one in found.contrasts if one.adjusted_p is not None and one.adjusted_p < _ALPHA]
    if not shown:
        return Question(
            asked=asked, answer=Answer.UNKNOWN, because="No difference is shown that could be lost."
        )
    # Whichever pairs are shown were chosen among all: e-values are divided by their number, as in Bonferroni.
    values = {one: _e_value(found, one) / _tests(found) for one in shown[:_NAMED]}
    lost = [one for one, value in values.items() if value < DECIDED]
    most = max(group.n for group in found.groups)
    usual = inflation(T_TEST, last=max(most, T_TEST.first + 1), sd=1.0).value or 0.0
    told = "; ".join(f"{one.a} / {one.b} has an e-value of {value:.3g}" for one, value in values.items())
    because = (
        f"{told}, for all pairs looked at ({DECIDED:g} decides at any look). A t-test at p < .01 that is "
        f"repeated up to {most:,} seeds passes by chance in {usual:.1%}."
    )
    return Question(asked=asked, answer=Answer.DOUBT if lost else Answer.FINE, because=because)


def _e_value(found: Comparison, contrast: Contrast) -> float:
    """Return how strongly the log costs of two groups differ; unfinished runs count at what they spent.

    The mean of the e-values of both directions: which group is called the cheaper one was seen in these runs.
    The last value is the same in whatever order the runs came.
    """
    a, b = (np.log(_costs(found, name)) for name in (contrast.a, contrast.b))
    return float(np.mean([difference_e_process(a, b, below=below)[-1] for below in (True, False)]))


def _costs(found: Comparison, group: str) -> np.ndarray:
    mine = found.costs.filter(pl.col("group") == group).select(pl.col("high").fill_null(pl.col("low")))
    return np.maximum(mine.to_series().to_numpy(), 1e-9)


def _natural(seed: str) -> tuple[int, str]:
    return (int(seed), "") if seed.isdecimal() else (1 << 60, seed)


def _listed(seeds: list[str]) -> str:
    more = f" and {len(seeds) - _NAMED} more" if len(seeds) > _NAMED else ""
    return f"seed{'' if len(seeds) == 1 else 's'} {', '.join(seeds[:_NAMED])}{more}"
