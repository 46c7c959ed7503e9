"""What a tracker does with an online detector: feed it, look closer while it suspects, keep checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from grokscope.collectors.evaluating.schedule import Schedule, log_spaced
from grokscope.collectors.interrupts import shown
from grokscope.collectors.warning import contained
from grokscope.schemas import OnlineDetector, Status, Transition

if TYPE_CHECKING:
    from grokscope.collectors.detecting.checkpoints import CheckpointBuffer

_SUSPICIOUS = frozenset({Status.SUSPECTED, Status.IN_PROGRESS})
_CODES = {Status.REJECTED: 0.0, Status.SUSPECTED: 1.0, Status.IN_PROGRESS: 1.0, Status.CONFIRMED: 2.0}


class DetectorRunner:
    """Feeds a detector, and follows what it suspects.

    Args:
        detector: Fed with every evaluation.
        dense: Followed besides the usual schedule while an event is suspected; 128 a decade by default.
        checkpoints: Of the model, saved at every evaluation and kept around events.
        warn: Takes a sentence about what failed while training goes on.

    >>> class Suspicious:
    ...     status = Status.SUSPECTED
    ...     def update(self, step, values):
    ...         return ()
    >>> runner = DetectorRunner(Suspicious(), dense=lambda step: step % 5 == 0, warn=print)
    >>> runner.is_due(10)
    False
    >>> runner.update(0, {"test/accuracy": 0.5})
    {}
    >>> runner.is_due(10), runner.is_due(11)
    (True, False)
    """

    def __init__(
        self,
        detector: OnlineDetector,
        *,
        warn: Callable[[str], None],
        dense: Schedule | None = None,
        checkpoints: "CheckpointBuffer | None" = None,
    ) -> None:
        self.events: list[Transition] = []
        self.is_suspicious = False
        self._detector = detector
        self._dense = dense or log_spaced(128)
        self._checkpoints = checkpoints
        self._warn = warn
        self._saving_seconds = 0.0

    def is_due(self, step: int) -> bool:
        """Say whether suspicion alone makes ``step`` one to evaluate at."""
        return self.is_suspicious and self._dense(step)

    def update(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """Take one evaluation; return what is to be logged about it.

        Returns:
            ``detector/<kind>`` for every event with news: 1 suspected, 2 confirmed, 0 withdrawn; and
            ``collector/seconds/checkpoints`` where checkpoints are saved.
        """
        said = self._save(step)
        news: Sequence[Transition] = ()
        with contained(self._warn, f"the detector failed at step {shown(step)}"):
            news = self._detector.update(step, values)
            self.events += news
            self.is_suspicious = self._detector.status in _SUSPICIOUS
        if self._checkpoints is not None and (news or self.is_suspicious):
            self._checkpoints.keep()
        return said | {f"detector/{event.kind.value}": _CODES[event.status] for event in news}

    def _save(self, step: int) -> dict[str, float]:
        if self._checkpoints is None:
            return {}
        began = time.perf_counter()
        with contained(self._warn, f"the model's state at step {shown(step)} was not saved"):
            self._checkpoints.save(step)
        self._saving_seconds += time.perf_counter() - began
        return {"collector/seconds/checkpoints": self._saving_seconds}
