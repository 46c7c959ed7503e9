"""How a share of right answers, or a loss in nats, is told: under which names, in which unit."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, decades, pick
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats
from grokscope.transitions.evaluation.laboratory.unseen.logs.names import LOSSES, SCORES

COUNTED = ("accuracy", "per_cent", "error", "error_per_cent", "exact_match", "success")
"""Kinds of scores that count right answers: a small set gives them binomial noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A way to tell a curve.

    Attributes:
        kind: Of ``SCORES`` or ``LOSSES``.
        train, test: Names of the two curves.
        tell: Value as logged, from a share; a straight line, so that shares of a rise stay what they are.
            From nats for the kinds of ``LOSSES``, where it need not be straight.
    """

    kind: str
    train: str
    test: str
    tell: Callable[[Floats], Floats]


def draw_score(rng: np.random.Generator, *kinds: str) -> Score:
    """Return one way to tell a score of one of ``kinds``, keys of ``SCORES``.

    >>> score = draw_score(np.random.default_rng(0), "error")
    >>> score.tell(np.array([0.25])).tolist()
    [0.75]
    """
    kind = pick(rng, kinds)
    train, test = pick(rng, SCORES[kind])
    scale = decades(rng, 2.0, 30.0)

    def tell(shares: Floats) -> Floats:
        if kind == "margin":
            return scale * (shares - 0.4)
        if kind == "fit":
            return np.minimum(shares, 1.0)
        clipped = np.clip(shares, 0.0, 1.0)
        right = 1.0 - clipped if kind.startswith("error") else clipped
        return right * (100.0 if kind.endswith("per_cent") else 1.0)

    return Score(kind=kind, train=train, test=test, tell=tell)


def draw_loss(rng: np.random.Generator, *kinds: str) -> Score:
    """Return one way to tell a loss of one of ``kinds``, keys of ``LOSSES``, from nats.

    >>> loss = draw_loss(np.random.default_rng(0), "bits")
    >>> loss.tell(np.array([math.log(2.0)])).tolist()
    [1.0]
    """
    kind = pick(rng, kinds)
    train, test = pick(rng, LOSSES[kind])

    def tell(nats: Floats) -> Floats:
        if kind == "perplexity":
            return np.exp(np.minimum(nats, 30.0))
        return nats / math.log(2.0) if kind == "bits" else nats

    return Score(kind=kind, train=train, test=test, tell=tell)


def draw_chance(rng: np.random.Generator, kind: str) -> float:
    """Return a level, as a share, at which a score of this kind starts before anything is learned.

    >>> 0.45 < draw_chance(np.random.default_rng(0), "area") < 0.55
    True
    """
    if kind == "area":
        return between(rng, 0.47, 0.53)
    if kind == "fit":
        return between(rng, -0.25, 0.02)
    if kind in {"exact_match", "success", "ranking"}:
        return between(rng, 0.0, 0.06)
    return pick(rng, (0.0, 0.01, 0.02, 0.1, 0.2, 0.25, 1 / 3, 0.5))
