"""What one line of a text log says."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Values of one line, and where in the training they belong.

    Attributes:
        step: As the line has it; ``None`` if it tells none, or one that starts again in each epoch.
        epoch: Likewise.
        inner: A step that starts again in each epoch.
        span: How many steps there are, in an epoch or in all, if the line says it.
        values: Metric -> value.
    """

    step: float | None = None
    epoch: float | None = None
    inner: float | None = None
    span: float | None = None
    values: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def is_placed(self) -> bool:
        """The line says itself where it belongs."""
        return self.step is not None or self.epoch is not None
