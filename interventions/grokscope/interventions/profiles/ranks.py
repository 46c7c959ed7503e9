"""How sure an order is: probabilities of ranks, and of one group being before another, from draws."""

import numpy as np
import polars as pl

from grokscope.interventions.profiles.study_times import FloatArray

RANKS = pl.Schema({"group": pl.String(), "rank": pl.Int64(), "probability": pl.Float64()})
"""Probability that the group has the rank; rank 1 is the highest score."""

ORDER = pl.Schema({"a": pl.String(), "b": pl.String(), "probability": pl.Float64()})
"""Probability that ``a`` has a higher score than ``b``; ties count one half."""


def rank_probabilities(scores: FloatArray) -> FloatArray:
    """Return how often each group has each rank: (groups, ranks); every row and every column adds up to 1.

    Groups with equal scores share their ranks evenly.

    Args:
        scores: (draws, groups); high is good.

    >>> rank_probabilities(np.array([[3.0, 2.0, 1.0], [2.0, 2.0, 1.0]]))
    array([[0.75, 0.25, 0.  ],
           [0.25, 0.75, 0.  ],
           [0.  , 0.  , 1.  ]])
    """
    better = (scores[:, np.newaxis, :] > scores[:, :, np.newaxis]).sum(axis=-1)[..., np.newaxis]
    tied = (scores[:, np.newaxis, :] == scores[:, :, np.newaxis]).sum(axis=-1)[..., np.newaxis]
    ranks = np.arange(scores.shape[1], dtype=np.intp)
    return (((ranks >= better) & (ranks < better + tied)) / tied).mean(axis=0)


def order_probabilities(scores: FloatArray) -> FloatArray:
    """Return how often the group of the row has a higher score than that of the column: (groups, groups).

    Ties count one half, so an entry and its mirror add up to 1, and the diagonal is one half.

    Args:
        scores: (draws, groups); high is good.

    >>> order_probabilities(np.array([[3.0, 2.0], [2.0, 2.0]]))
    array([[0.5 , 0.75],
           [0.25, 0.5 ]])
    """
    mine, other = scores[:, :, np.newaxis], scores[:, np.newaxis, :]
    return ((mine > other) + (mine == other) / 2).mean(axis=0)


def rank_frame(groups: tuple[str, ...], scores: FloatArray) -> pl.DataFrame:
    """Return ``rank_probabilities`` as ``RANKS``, by group and rank.

    >>> rank_frame(("a", "b"), np.array([[3.0, 2.0]])).rows()
    [('a', 1, 1.0), ('a', 2, 0.0), ('b', 1, 0.0), ('b', 2, 1.0)]
    """
    ranks = range(1, len(groups) + 1)
    pairs = [(group, rank) for group in groups for rank in ranks]
    return pl.DataFrame(pairs, schema=["group", "rank"], orient="row").with_columns(
        probability=pl.Series(rank_probabilities(scores).ravel(), dtype=pl.Float64)
    )


def order_frame(groups: tuple[str, ...], scores: FloatArray) -> pl.DataFrame:
    """Return ``order_probabilities`` as ``ORDER``, without the diagonal.

    >>> order_frame(("a", "b"), np.array([[3.0, 2.0]])).rows()
    [('a', 'b', 1.0), ('b', 'a', 0.0)]
    """
    pairs = [(a, b) for a in groups for b in groups]
    frame = pl.DataFrame(pairs, schema=["a", "b"], orient="row").with_columns(
        probability=pl.Series(order_probabilities(scores).ravel(), dtype=pl.Float64)
    )
    return frame.filter(pl.col("a") != pl.col("b"))
