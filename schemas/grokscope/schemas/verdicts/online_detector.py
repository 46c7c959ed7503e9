"""The seam between training and detection: what a tracker calls, without knowing the engine."""

from collections.abc import Mapping
from typing import Protocol

from grokscope.schemas.verdicts.transition import Status, Transition


class OnlineDetector(Protocol):
    """Is fed each evaluation as it happens and says what it sees.

    The contract: ``update`` is called with increasing steps, must return at once and may keep only a
    bounded state. An exception in it is counted and never reaches the training loop.
    """

    def update(self, step: int, values: Mapping[str, float]) -> tuple[Transition, ...]:
        """Take one evaluation; return the events that are new or have changed."""
        ...

    @property
    def status(self) -> Status | None:
        """The most advanced event's status; ``None`` while nothing is in sight."""
        ...
