"""What a comparison says: of every group, of every two groups, and in a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from grokscope.interventions.comparing.trend import Trend
from grokscope.interventions.contrasts.tuning import CURVE
from grokscope.interventions.designs.exchange_rate import ExchangeRate
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.outcomes.target import Target

Json = dict[str, Any]

NEITHER = "Neither group has reached the target."
"""Why there is no speed-up and no test."""


def _nothing() -> Mapping[str, float]:
    return {}


def _no_scores() -> Mapping[str, Estimate]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """What the runs of one group spend until they reach the target.

    Attributes:
        group: Its label: the bare value of one param, ``a=1, b=2`` of several.
        n: Runs, repeats of one seed counted apart.
        reached: Those that have reached the target.
        median: Of the cost, those counted in that are not there.
        restricted_mean: Mean cost of a run that is given the common budget and no more.
        share: Of runs that reach the target within the common budget.
        ends: How the others ended -> how many.
        more: Further numbers by a rule's own names.
    """

    group: str
    n: int
    reached: int
    median: Estimate
    restricted_mean: Estimate
    share: Estimate
    ends: Mapping[str, int]
    more: Mapping[str, float | None] = field(default_factory=_nothing)

    @property
    def rank(self) -> tuple[float, float, float, str]:
        """Where the group stands among others: by median, then by share and mean; the cheapest first."""
        infinite = float("inf")
        median = infinite if self.median.value is None else self.median.value
        mean = infinite if self.restricted_mean.value is None else self.restricted_mean.value
        return (median, -self.reached / self.n, mean, self.group)

    def to_json(self) -> Json:
        """Return what JSON takes; an end of an interval that is unbounded is null."""
        return {
            "group": self.group,
            "n": self.n,
            "reached": self.reached,
            "median": self.median.value,
            "low": self.median.low,
            "high": self.median.high,
            "rmst": self.restricted_mean.value,
            "rmst_low": self.restricted_mean.low,
            "rmst_high": self.restricted_mean.high,
            "share": self.share.value,
            "share_low": self.share.low,
            "share_high": self.share.high,
            "ends": dict(self.ends),
            "missing": self.median.missing,
            **self.more,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two groups.

    Attributes:
        a, b: The groups; ``a`` is the one with the lower cost.
        speed_up: How many times as much ``b`` costs as ``a``.
        p: Of the test that both cost the same; ``None`` where there is none.
        adjusted_p: The same, for all pairs of groups together (Holm).
        attainable_p: The smallest that the test can give with so many runs.
        improvement: Probability that a run of ``a`` costs less than one of ``b``.
        is_paired: Runs of one seed were compared with each other.
    """

    a: str
    b: str
    speed_up: Estimate
    p: float | None
    adjusted_p: float | None
    attainable_p: float
    improvement: Estimate
    is_paired: bool

    def to_json(self) -> Json:
        """Return what JSON takes."""
        return {
            "a": self.a,
            "b": self.b,
            "speed_up": self.speed_up.value,
            "low": self.speed_up.low,
            "high": self.speed_up.high,
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "attainable_p": self.attainable_p,
            "improvement": self.improvement.value,
            "improvement_low": self.improvement.low,
            "improvement_high": self.improvement.high,
            "paired": self.is_paired,
            "missing": self.speed_up.missing,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Groups of runs compared.

    Attributes:
        target: What was to be reached; ``None`` where a rule has many.
        estimand: What a cost means.
        count_in: The unit of costs.
        budget: The common budget, up to which every group was followed.
        groups: The cheapest first.
        contrasts: Pairs of groups.
        trend: How the cost follows the param that makes the groups, if that is a number.
        tuning: ``CURVE``: what the best of some runs of a group costs.
        exchange_rates: What steps are worth in the target's metric.
        scores: Group -> score, of a rule that gives one, the best first.
        ranks: ``group, rank, probability`` of such scores.
        claims: Published results beside what their runs say, of a rule that has some.
        sentence: The answer.
        caveats: What is to be known with it, one sentence each.
        costs: One row a run: ``COSTS``, ``end`` and ``group``.
    """

    target: Target | None
    estimand: Estimand
    count_in: str
    budget: float | None = None
    groups: tuple[GroupResult, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    trend: Trend | None = None
    tuning: pl.DataFrame = field(default_factory=CURVE.to_frame)
    exchange_rates: tuple[ExchangeRate, ...] = ()
    scores: Mapping[str, Estimate] = field(default_factory=_no_scores)
    ranks: pl.DataFrame = field(default_factory=pl.DataFrame)
    claims: pl.DataFrame = field(default_factory=pl.DataFrame)
    sentence: str = ""
    caveats: tuple[str, ...] = ()
    costs: pl.DataFrame = field(default_factory=pl.DataFrame)

    def to_json(self) -> Json:
        """Return what JSON takes: the record without the single runs."""
        scores = {
            name: {"score": score.value, "low": score.low, "high": score.high}
            for name, score in self.scores.items()
        }
        return _finite(
            {
                "target": None if self.target is None else str(self.target),
                "estimand": self.estimand.value,
                "count_in": self.count_in,
                "budget": self.budget,
                "groups": [group.to_json() for group in self.groups],
                "contrasts": [contrast.to_json() for contrast in self.contrasts],
                "trend": None if self.trend is None else self.trend.to_json(),
                "tuning": self.tuning.to_dicts(),
                "exchange_rates": [rate.to_json() for rate in self.exchange_rates],
                "scores": scores,
                "ranks": self.ranks.to_dicts(),
                "claims": self.claims.to_dicts(),
                "sentence": self.sentence,
                "caveats": list(self.caveats),
            }
        )


def _finite(value: Any) -> Any:
    """Return a value of JSON, which has no NaN and no infinity: null stands for both."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in cast("Json", value).items()}
    if isinstance(value, list):
        return [_finite(one) for one in cast("list[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
