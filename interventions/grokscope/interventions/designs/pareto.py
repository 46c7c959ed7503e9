"""The Pareto front of compute and quality: the groups that no other group beats in both."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.designs.axis import VariableError, numbers

FloatArray = NDArray[np.float64]

DRAWS = 1000
_AT_ONCE = 200_000
"""Numbers drawn at a time, so that many runs need no more memory than few."""

GROUPS = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "compute": pl.Float64(),
        "quality": pl.Float64(),
        "on_front": pl.Boolean(),
        "probability": pl.Float64(),
        "dominated_by": pl.List(pl.String()),
        "missing": pl.String(),
    }
)
"""One row a group. ``compute`` and ``quality``: means over its runs. ``probability``: of lying on the front,
over what other seeds may give. ``dominated_by``: the groups of the front that beat it, the dearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoFront:
    """Groups by compute and quality.

    Attributes:
        by, compute, quality: The columns that were asked for.
        groups: ``GROUPS``, the cheapest first.
        sentence: What there is, in words.
        caveats: What to know before reading it.
    """

    by: str
    compute: str
    quality: str
    groups: pl.DataFrame
    sentence: str
    caveats: tuple[str, ...]


def pareto_front(  # noqa: PLR0913 - keyword-only options of one public face
    runs: pl.DataFrame,
    *,
    by: str,
    compute: str = "spent",
    quality: str = "best",
    is_upward: bool,
    draws: int = DRAWS,
    seed: int = 0,
) -> ParetoFront:
    """Return which groups no other beats: at most its compute and at least its quality, one of them better.

    The probability of lying on the front is the share of bootstrap draws of the runs within groups in which
    it does (Efron 1979), deviations from a group's mean stretched by √(n / (n - 1)) so that few seeds do not
    look surer than they are. Of one run nothing tells how its seeds differ: it has no probability, and those
    of the others take it as it is.

    Args:
        runs: One row a run, with the three columns; ``COSTS`` has ``spent`` and ``best``.
        by: The column that names the group.
        compute: Column of numbers; runs without one are left out, and it is said.
        quality: The same.
        is_upward: Whether high quality values are good (accuracy) or low ones (loss).
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        VariableError: If a column is missing or holds no numbers.

    >>> runs = pl.DataFrame({"arm": ["a", "a", "b", "b", "c", "c"], "spent": [1, 1, 2, 2, 3, 3]})
    >>> runs = runs.with_columns(best=pl.Series([0.5, 0.6, 0.9, 0.8, 0.7, 0.7]))
    >>> groups = pareto_front(runs, by="arm", is_upward=True).groups
    >>> groups.select("group", "on_front", "dominated_by").rows()
    [('a', True, []), ('b', True, []), ('c', False, ['b'])]
    """
    sign = 1.0 if is_upward else -1.0
    known = _known(runs, by, numbers(runs, compute), sign * numbers(runs, quality))
    groups = known.group_by("group", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("runs"), pl.col("c").mean(), pl.col("q").mean()
    )
    c, q = groups["c"].to_numpy(), groups["q"].to_numpy()
    counts = groups["runs"].to_numpy()
    probability = _probability(known, counts, draws=draws, seed=seed)
    front = front_of(c[None, :], q[None, :])[0] if len(groups) else np.zeros(0, bool)
    is_alone = pl.col("runs") < 2  # noqa: PLR2004
    table = groups.select(
        "group",
        "runs",
        compute=pl.col("c"),
        quality=sign * pl.col("q"),
        on_front=pl.Series(front),
        probability=pl.when(~is_alone).then(pl.Series(probability)),
        dominated_by=_dominators(groups["group"].to_list(), c, q, front),
        missing=pl.when(is_alone).then(pl.lit("one run: nothing tells how its seeds differ")),
    )
    return ParetoFront(
        by=by,
        compute=compute,
        quality=quality,
        groups=table.sort("compute", "group").match_to_schema(GROUPS),
        sentence=_sentence(table),
        caveats=_caveats(table, left_out=len(runs) - len(known)),
    )


def front_of(compute: FloatArray, quality: FloatArray) -> NDArray[np.bool_]:
    """Return who lies on the front, row by row; of equals all do.

    Args:
        compute: Low is good, shape (draws, groups).
        quality: High is good, shape (draws, groups).

    >>> front_of(np.array([[1.0, 2.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 1.5, 2.0]]))
    array([[ True,  True, False, False]])
    """
    order = np.lexsort((-quality, compute), axis=-1)
    c, q = (np.take_along_axis(each, order, axis=-1) for each in (compute, quality))
    before: FloatArray = np.maximum.accumulate(q, axis=-1)
    best_of_cheaper: FloatArray = np.pad(before[:, :-1], ((0, 0), (1, 0)), constant_values=-np.inf)
    is_front: NDArray[np.bool_] = q > best_of_cheaper
    # One that equals the one before it in both shares its fate.
    is_equal = np.zeros_like(is_front)
    is_equal[:, 1:] = (c[:, 1:] == c[:, :-1]) & (q[:, 1:] == q[:, :-1])
    if np.any(is_equal):
        leader = np.maximum.accumulate(np.where(is_equal, 0, np.arange(int(compute.shape[-1]))), axis=-1)
        is_front = np.take_along_axis(is_front, leader, axis=-1)
    found = np.zeros_like(is_front)
    np.put_along_axis(found, order, is_front, axis=-1)
    return found


def _known(runs: pl.DataFrame, by: str, compute: FloatArray, quality: FloatArray) -> pl.DataFrame:
    """Return group, ``c`` and ``q`` of the runs that have all three, by group."""
    if by not in runs.columns:
        raise VariableError(f"no column {by!r} names the groups; there are {', '.join(runs.columns)}")
    told = pl.DataFrame({"group": runs[by].cast(pl.String), "c": compute, "q": quality})
    has_all = pl.col("c").is_finite() & pl.col("q").is_finite() & pl.col("group").is_not_null()
    return told.filter(has_all).sort("group")


def _probability(known: pl.DataFrame, counts: NDArray[np.int64], *, draws: int, seed: int) -> FloatArray:
    """Return how often each group lies on the front when its runs are drawn again."""
    if not len(counts):
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    values = np.stack([known["c"].to_numpy(), known["q"].to_numpy()])
    means = np.add.reduceat(values, starts, axis=1) / counts
    stretch = np.sqrt(counts / np.maximum(counts - 1, 1))
    deviations = (values - np.repeat(means, counts, axis=1)) * np.repeat(stretch, counts)
    first, size = np.repeat(starts, counts), np.repeat(counts, counts)
    hits, done = np.zeros(len(counts)), 0
    while done < draws:
        now = min(draws - done, max(1, _AT_ONCE // len(known)))
        drawn = first + (rng.random((now, len(known))) * size).astype(np.int64)
        c, q = (
            mean + np.add.reduceat(each[drawn], starts, axis=1) / counts
            for mean, each in zip(means, deviations, strict=True)
        )
        hits += front_of(c, q).sum(axis=0)
        done += now
    return hits / draws


def _dominators(names: list[str], c: FloatArray, q: FloatArray, front: NDArray[np.bool_]) -> pl.Series:
    """Return for each group those of the front that beat it, the dearest first."""
    best = [int(j) for j in np.flatnonzero(front)[np.argsort(-c[front], kind="stable")]]
    found: list[list[str]] = [[names[j] for j in best if _beats(c, q, j, i)] for i in range(len(names))]
    return pl.Series("dominated_by", found, dtype=pl.List(pl.String))


def _beats(c: FloatArray, q: FloatArray, j: int, i: int) -> bool:
    return bool(c[j] <= c[i] and q[j] >= q[i] and (c[j] < c[i] or q[j] > q[i]))


def _sentence(table: pl.DataFrame) -> str:
    front = table.filter("on_front").sort("compute")["group"].to_list()
    return f"{len(front)} of {len(table)} groups are beaten by no other: {', '.join(front)}."


def _caveats(table: pl.DataFrame, *, left_out: int) -> tuple[str, ...]:
    alone = int((table["runs"] == 1).sum())
    few = int(table["runs"].is_between(2, 4).sum())
    lack = "1 run lacks" if left_out == 1 else f"{left_out} runs lack"
    told = (
        (alone, f"{_groups_have(alone)} one run and no probability; the others' take them as they are"),
        (few, f"{_groups_have(few)} two to four runs: probabilities of so few are rough"),
        (left_out, f"{lack} compute or quality, left out"),
    )
    return tuple(sentence for holds, sentence in told if holds)


def _groups_have(count: int) -> str:
    return "1 group has" if count == 1 else f"{count} groups have"
