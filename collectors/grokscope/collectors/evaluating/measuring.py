"""How a model is read, and how much time that may take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grokscope.collectors.recording.run_ids import TrackerError

_LOSSES = ("cross_entropy", "bce", "mse")
_UNIQUE = ("ids", "contents")
_SIZES = ("examples_per_step", "tokens_per_step", "dataset_examples", "dataset_tokens", "data_parallel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """Options of ``Tracker.evaluate``.

    Attributes:
        output: From what the model returns to its logits or predictions, classes last; ``None`` finds them:
            the output itself, its ``logits``, or the one tensor of a tuple or dict that fits the targets.
            Where these are probabilities, which is said, logits are computed back.
        loss: ``"cross_entropy"``, ``"bce"`` (with logits), ``"mse"``, or a function of outputs and targets,
            as model and batch give them, that returns a scalar or a value an example. ``None`` decides by the
            targets of the first batch and says what was taken: class indices, one-hot rows and rows that sum
            to 1 have the cross-entropy; other 0 and 1, or 0 and 255, of the outputs' shape the binary one;
            other numbers the mean squared error. Splits of the same outputs have the same loss.
        ignore_index: Class indices and targets of a single logit of this value are left out, as padding is;
            by default 255 is too in maps of fewer classes, which is said. ``None`` leaves out none.
        causal: Whether targets are the tokens that the model read, and so are shifted by one. ``None`` shifts
            those of dicts where labels and ``input_ids`` are of one shape and the model is a causal one by
            its config or the name of its class, as its own loss does, and says so.
        examples_per_step: Examples in one optimizer step of all processes; adds ``progress/examples`` and
            ``progress/flops`` where ``Tracker.seen`` counts none.
        tokens_per_step: Tokens in one optimizer step of all processes; adds ``progress/tokens``.
        dataset_examples: Examples that the training set holds; adds ``progress/epochs``, passes through it,
            ``progress/unique_examples`` and ``progress/repetitions``, as if each pass read each once.
        dataset_tokens: Tokens that the training set holds; the same by tokens.
        unique: How distinct examples are told instead: by ``"ids"``, exactly, or by their ``"contents"``,
            within 1 % by a sketch of the inputs while they are on the CPU; of one process only.
        data_parallel: Processes that train on batches of their own, for what one of them counts; ``None``
            takes all of torch's process group.
        features: Dotted name of the module whose input is the representation; ``None`` finds the last
            linear layer with as many outputs as there are classes.
        batch_size: Examples a forward pass when a split is a pair of tensors or a dict, which ``None`` takes
            whole, or a dataset without a loader, which ``None`` takes 256 at a time.
        max_batches: Batches read of a split at most; ``None`` takes all of what tells their number, and 1000
            of what may be endless.
        max_seconds: After so many seconds no further batch of a split is read, then nor later; ``None`` waits
            for all. Both are said, and the same first batches are read each time. A batch that never comes is
            waited for, and where the model is sharded the clock is not asked.
        at_most: Examples of a split that are read at most; ``None`` takes all. Tensors, datasets, and loaders
            that take each example once are read at so many drawn over the whole, the same ones each time;
            anything else at its first ones. Where that leaves some out, it is said, and beside the scores
            ``<split>/examples``, the 95 % interval ``<split>/accuracy_low`` to ``accuracy_high`` and the
            standard error ``<split>/loss_error`` of a cross-entropy are logged; they hold for all examples
            only where these were drawn. ``max_batches`` and ``max_seconds`` hold too.
        budget: Share of the run's time that measuring may take. Curves and norms (tier 0) are never skipped;
            the costly measures get what these leave of it, or a quarter of it if that is more, and one is
            skipped at a step where it would exceed its part.
        defaults: Whether the default instruments are read besides those given as ``measures``.

    Raises:
        TrackerError: If an option is not what it must be.

    >>> Measuring(loss="l2")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    grokscope.collectors.recording.run_ids.TrackerError: loss is a function of outputs and targets, or one ...
    """

    output: Callable[[Any], Any] | None = None
    loss: str | Callable[[Any, Any], Any] | None = None
    ignore_index: int | None = -100
    causal: bool | None = None
    examples_per_step: int | None = None
    tokens_per_step: int | None = None
    dataset_examples: int | None = None
    dataset_tokens: int | None = None
    unique: str | None = None
    data_parallel: int | None = None
    features: str | None = None
    batch_size: int | None = None
    max_batches: int | None = None
    max_seconds: float | None = 30.0
    at_most: int | None = None
    budget: float = 0.02
    defaults: bool = True

    def __post_init__(self) -> None:
        """Refuse what a training would only meet at its first evaluation."""
        if self.loss is not None and self.loss not in _LOSSES and not callable(self.loss):
            allowed = ", ".join(map(repr, _LOSSES))
            raise TrackerError(
                f"loss is a function of outputs and targets, or one of {allowed}, got {self.loss!r}"
            )
        if self.output is not None and not callable(self.output):
            raise TrackerError(
                f"output is a function of what the model returns, got {self.output!r}; write "
                "output=lambda found: found[0]"
            )
        for name in ("max_batches", "max_seconds", "at_most"):
            most = getattr(self, name)
            if most is not None and not most > 0:
                raise TrackerError(f"{name} is more than 0, got {most!r}; None is without a bound")
        if self.unique is not None and self.unique not in _UNIQUE:
            raise TrackerError(f"unique is 'ids', 'contents' or None, got {self.unique!r}")
        for name in _SIZES:
            size = getattr(self, name)
            if size is not None and (
                isinstance(size, bool) or not isinstance(size, int | float) or not size > 0
            ):
                raise TrackerError(f"{name} is a number above 0, got {size!r}; None leaves it out")
