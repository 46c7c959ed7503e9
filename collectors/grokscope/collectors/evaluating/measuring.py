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
        budget: Share of the run's time that measuring may take. Curves and norms (tier 0) are never skipped;
            the costly measures get what these leave of it, or a quarter of it if that is more, and one is
            skipped at a step where it would exceed its part.
        defaults: Whether the default instruments are read besides those given as ``measures``.
    """

    examples_per_step: int | None = None
    features: str | None = None
    ignore_index: int | None = None
    batch_size: int | None = None
    budget: float = 0.02
    defaults: bool = True
