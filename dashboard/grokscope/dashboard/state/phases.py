"""What a run is doing now, in the words of the field."""

from enum import StrEnum

import polars as pl

from grokscope.schemas import Kind, Pattern, Verdict


class Phase(StrEnum):
    """The stage that a run has reached."""

    STARTING = "starting"
    UNJUDGED = "training"
    MEMORIZING = "memorizing"
    WAITING = "memorized, waiting for generalization"
    GENERALIZING = "generalizing"
    GENERALIZED = "generalized"
    COLLAPSED = "collapsed"
    DIVERGED = "diverged"


def phase_of(verdict: Verdict | None) -> Phase:
    """Return the stage that the verdict on a run's log so far shows.

    >>> phase_of(None)
    <Phase.STARTING: 'starting'>
    """
    if verdict is None:
        return Phase.STARTING
    stages = {
        Phase.COLLAPSED: verdict.pattern is Pattern.COLLAPSE,
        Phase.GENERALIZED: verdict.generalized is not None,
        Phase.DIVERGED: any(event.kind is Kind.DIVERGENCE for event in verdict.transitions),
        Phase.GENERALIZING: verdict.onset is not None,
        Phase.WAITING: verdict.memorized is not None,
        Phase.UNJUDGED: bool(verdict.missing),
    }
    return next((phase for phase, is_reached in stages.items() if is_reached), Phase.MEMORIZING)


def has_generalized(verdict: Verdict | None) -> bool:
    """Return whether a run generalized, and has not lost it since.

    >>> has_generalized(None)
    False
    """
    return verdict is not None and verdict.generalized is not None and verdict.pattern is not Pattern.COLLAPSE


def active(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that are training now."""
    return runs.filter((pl.col("status") == "RUNNING") & ~pl.col("silent"))


def silent(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that are called running and have fallen silent."""
    return runs.filter(pl.col("silent"))


def ended(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that have ended, the latest first."""
    return runs.filter(~pl.col("status").is_in(["RUNNING", "SCHEDULED"])).sort(
        "end_ms", descending=True, nulls_last=True
    )
