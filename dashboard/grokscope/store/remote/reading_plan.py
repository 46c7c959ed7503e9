"""What of a store is to be read next."""

from dataclasses import dataclass, field

from grokscope.store.remote.records import RunRecord

Request = dict[str, dict[str, int | None]]
"""Metric -> run -> step to read from (``None``: everything)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """What to read, and what is complete once it is: as long as nothing was forgotten since ``epoch``."""

    epoch: int
    histories: Request = field(default_factory=Request)
    news: Request = field(default_factory=Request)
    whole: list[tuple[RunRecord, list[str]]] = field(default_factory=list[tuple[RunRecord, list[str]]])
    partial: list[tuple[RunRecord, list[str]]] = field(default_factory=list[tuple[RunRecord, list[str]]])
