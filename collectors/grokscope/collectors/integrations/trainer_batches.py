"""How much the batches of a Hugging Face ``Trainer`` hold, which shows its callbacks none of them."""

from dataclasses import dataclass
from typing import Any, cast

from torch.utils.data import BatchSampler
from transformers import TrainerState

from grokscope.collectors.exposure.exposure import Exposure
from grokscope.collectors.recording.ranks import is_first_process, processes
from grokscope.collectors.warning import Warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizes:
    """Examples in the batches of a loader.

    Attributes:
        full: In each batch of one process but an epoch's last.
        last: In that one; ``None`` where the length of the data is not known.
        processes: How many have batches of their own.
    """

    full: int
    last: int | None
    processes: int


class TrainerBatches:
    """Counts examples by what the Trainer's loader says of its batches, and tokens as the Trainer does.

    Where nothing tells the sizes of batches, as with a batch sampler of the user's own, no examples are
    counted, which is said; where the program calls ``Tracker.seen`` itself, its own count holds.

    Args:
        exposure: Takes what is counted.
        loader: As the Trainer has prepared it.
        tokens: What the Trainer has counted before.
    """

    def __init__(self, exposure: Exposure, loader: object, *, tokens: int) -> None:
        self._exposure = exposure
        self._sizes = sizes_of(loader)
        self._loader = type(loader).__name__
        self._tokens = tokens
        self._counted = exposure.batches
        self._warnings = Warnings(is_quiet=not is_first_process())

    def count(self, state: TrainerState, *, is_part: bool) -> bool:
        """Count the batch that has ended, and say whether it was.

        Args:
            state: Of the Trainer.
            is_part: Whether more batches follow in the same step.
        """
        if self._exposure.batches != self._counted:
            return False
        tokens = state.num_input_tokens_seen - self._tokens if state.num_input_tokens_seen else None
        self._tokens = state.num_input_tokens_seen
        examples = self._examples(is_last=not is_part and float(state.epoch or 0.5).is_integer())
        if examples is None and tokens is None:
            return False
        self._exposure.add(examples=examples, tokens=tokens, times=1)
        self._counted = self._exposure.batches
        return True

    def end_epoch(self, *, is_out_of_data: bool) -> None:
        """Say that the batch before may not have been full, where the data had to end to tell its length."""
        if is_out_of_data and self._sizes is not None and self._sizes.last is None:
            self._warnings.warn_once(
                "the training data has no length, so the last batch of a pass through it is counted as a "
                "full one; progress/examples may be too high by its rest"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what has been seen, for a checkpoint."""
        return self._exposure.state_dict()

    def _examples(self, *, is_last: bool) -> int | None:
        if self._sizes is None:
            self._warnings.warn_once(
                f"examples are not counted: nothing tells how many the batches of the {self._loader} hold; "
                "call callback.tracker.seen(inputs) in training_step"
            )
            return None
        sizes = self._sizes
        return (sizes.last if is_last and sizes.last is not None else sizes.full) * sizes.processes


def sizes_of(loader: object) -> BatchSizes | None:
    """Return how many examples the batches of a loader hold, if it tells.

    Args:
        loader: Torch's, or what Accelerate makes of it.

    Cost: none; nothing is read.

    >>> from torch.utils.data import DataLoader
    >>> sizes_of(DataLoader(range(50), batch_size=20))
    BatchSizes(full=20, last=10, processes=1)
    >>> sizes_of([1, 2]) is None
    True
    """
    given: Any = getattr(loader, "batch_sampler", None)
    inner: Any = getattr(given, "batch_sampler", given)  # Accelerate's, where there are several processes
    if getattr(type(cast("object", inner)), "__iter__", None) is not BatchSampler.__iter__:
        return None
    full, several = cast("int", inner.batch_size), int(getattr(given, "num_processes", 1))
    full = full // several if getattr(given, "split_batches", False) else full
    last: int | None = full
    if several > 1 and not (inner.drop_last or given.even_batches):
        return None
    if several == 1 and not inner.drop_last:
        length = _length(inner.sampler, getattr(loader, "dataset", None))
        last = None if length is None else length % full or full
    return BatchSizes(full=full, last=last, processes=several if several > 1 else processes())


def _length(*held: Any) -> int | None:
    """Return how many there are of the first that tells."""
    for one in held:
        try:
            return len(one)
        except TypeError:  # what is read as a stream has no length
            continue
    return None
