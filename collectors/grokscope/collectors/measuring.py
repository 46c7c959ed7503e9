"""How a model is read, and how much time that may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """Options of ``Tracker.evaluate``.

    Attributes:
        examples_per_step: Examples in one optimizer step; adds ``progress/examples`` and ``progress/flops``.
        features: Dotted name of the module whose input is the representation; ``None`` finds the last
            linear layer with as many outputs as there are classes.
        ignore_index: Targets of this value are left out, as padding is in language models (often -100).
        batch_size: Examples a forward pass when a split is a pair of tensors; ``None`` takes it whole.
        budget: Share of the run's time that the costly measures (spectra of the weights) may take; they
            are skipped at a step that would exceed it. Curves and norms are never skipped.
    """

    examples_per_step: int | None = None
    features: str | None = None
    ignore_index: int | None = None
    batch_size: int | None = None
    budget: float = 0.02


class Budget:
    """Says when a costly measure may run: when its last cost is within its share of the time since.

    The first reading is always allowed, since nobody knows yet what it costs.

    >>> budget = Budget(share=0.02)
    >>> budget.allows(now=0.0)
    True
    >>> budget.spent(0.5, now=0.5)
    >>> budget.allows(now=10.0), budget.allows(now=26.0)
    (False, True)
    """

    def __init__(self, *, share: float) -> None:
        self.skipped = 0
        self._share = share
        self._cost = 0.0
        self._last: float | None = None

    def allows(self, now: float) -> bool:
        """Say whether the measure may run now (seconds on a monotonic clock); count it if not."""
        is_allowed = self._last is None or self._cost <= self._share * (now - self._last)
        self.skipped += not is_allowed
        return is_allowed

    def spent(self, seconds: float, now: float) -> None:
        """Note what a reading has cost."""
        self._cost, self._last = seconds, now
