"""Compute against quality: the groups that no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.interventions.designs.pareto import ParetoFront, pareto_front

FRONT = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "compute": pl.Float64(),
        "quality": pl.Float64(),
        "on_front": pl.Boolean(),
        "probability": pl.Float64(),
        "beaten_by": pl.String(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Groups by compute and quality.

    Attributes:
        groups: ``FRONT``, the cheapest first.
        sentence: What there is.
        caveats: What to know with it.
    """

    groups: pl.DataFrame
    sentence: str
    caveats: Sequence[str]


def front_of_groups(levels: pl.DataFrame, *, is_upward: bool) -> Front:
    """Return the front of the groups of runs that train no more.

    Args:
        levels: ``LEVELS``.
        is_upward: Whether high levels are good.
    """
    found = pareto_front(
        levels.filter("is_over"), by="group", compute="compute", quality="best", is_upward=is_upward
    )
    beaten = pl.col("dominated_by").list.first().alias("beaten_by")
    groups = found.groups.with_columns(beaten).select(FRONT.names())
    return Front(groups=groups, sentence=_sentence(found), caveats=_caveats(found))


def _sentence(found: ParetoFront) -> str:
    if found.groups.height < 2:  # noqa: PLR2004 - nothing to compare
        return "A front takes two groups of runs with a level and an end; choose params under Group by."
    return found.sentence


def _caveats(found: ParetoFront) -> list[str]:
    if found.groups.is_empty():
        return []
    first = "The cheapest group is always on the front: nobody is cheaper."
    return [first, *(f"{one[:1].upper()}{one[1:]}." for one in found.caveats)]
