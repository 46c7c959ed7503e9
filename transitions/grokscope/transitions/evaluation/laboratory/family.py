"""A family of runs: one kind of training, logged as one kind of person would, drawn with its truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.schemas import Pattern

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of a drawn run, known from how it was made.

    Attributes:
        pattern: What a careful person who knows the field would call it.
        accept: Further patterns that such a person would not object to.
        onset: Step at which 10 % of the late rise is passed, exactly; ``None`` if nothing rises after a wait.
        midpoint: ... and 50 % of it.
        events: Kind (a value of ``grokscope.schemas.Kind``) and interval of steps of each event to be found.
        is_negative: Nothing generalizes late: grokking, or a generalization after the fit, is a false alarm.
    """

    pattern: Pattern
    accept: frozenset[Pattern] = frozenset()
    onset: float | None = None
    midpoint: float | None = None
    events: Sequence[tuple[str, Interval]] = ()
    is_negative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRun:
    """One drawn run: its points (columns ``metric``, ``step``, ``value``) and what is true of it."""

    points: pl.DataFrame
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of runs.

    Attributes:
        name: Unique, of a few words with hyphens.
        says: One sentence: which training, logged how.
        draw: Makes one run from a random generator; equal generators make equal runs.
    """

    name: str
    says: str
    draw: Callable[[np.random.Generator], LabRun]
