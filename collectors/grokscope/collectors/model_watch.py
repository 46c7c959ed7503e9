"""One reading of everything a model tells at a step: splits, weights, updates, progress, and its own cost."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluation import evaluate, snapshot, weight_measures
from grokscope.collectors.measure.batches import Batch, batches
from grokscope.collectors.measure.flops import training_flops_per_example
from grokscope.collectors.measure.undisturbed import undisturbed
from grokscope.collectors.measuring import Budget, Measuring
from grokscope.collectors.watch import UpdateWatch
from grokscope.schemas import GrokscopeError, is_split

Data = Batch | Iterable[Batch]

# A quantity of a split that belongs to another family in the table of metrics.
_ELSEWHERE = {"nc1": "representation/nc1/{split}"}


class ModelWatch:
    """Reads a model without changing it.

    Keeps one copy of the initial parameters on their device, for the distance from them.

    Args:
        model: Any module whose output is logits [N, C] or [N, T, C].
        optimizer: Hooked to read gradients and updates at the steps that are due; may be ``None``.
        is_due: Asked inside ``optimizer.step`` whether that step will be measured.
        how: Options.
        say: Takes a sentence about a measure that failed while the others went on.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        *,
        is_due: Callable[[], bool],
        how: Measuring,
        say: Callable[[str], None],
    ) -> None:
        self._model = model
        self._how = how
        self._say = say
        self._spectra = Budget(share=how.budget)
        self._optimizer = optimizer
        self._init = snapshot(model)
        self._updates = None if optimizer is None else UpdateWatch(model, optimizer, is_due=is_due)
        self._began = time.monotonic()
        self._own_seconds = 0.0
        self._flops_per_example: float | None = None

    def measure(self, step: int, splits: Mapping[str, Data]) -> dict[str, float]:
        """Return every measure of this step by its full key.

        All tensors stay on the device until the end, where one transfer brings them to the host.
        """
        began = time.perf_counter()
        tensors: dict[str, Tensor] = {}
        for split, data in splits.items():
            tensors |= self._split(split, data)
        tensors |= self._weights()
        tensors |= self._last_update()
        values = to_floats(tensors) | self._progress(step, splits)
        self._own_seconds += time.perf_counter() - began
        running = time.monotonic() - self._began
        values["collector/seconds"] = self._own_seconds
        values["collector/share"] = self._own_seconds / max(running, self._own_seconds)
        values["collector/skipped"] = float(self._spectra.skipped)
        return values

    def close(self) -> None:
        """Remove the optimizer's hooks."""
        if self._updates is not None:
            self._updates.close()

    def _split(self, split: str, data: Data) -> dict[str, Tensor]:
        if not is_split(split):
            raise GrokscopeError(
                f"{split!r} is not a split; allowed: train, test, val or shift:<name>, "
                f'for instance evaluate(step, {{"shift:{split}": data}})'
            )
        measured = evaluate(
            self._model,
            data,
            features=self._how.features,
            batch_size=self._how.batch_size,
            ignore_index=self._how.ignore_index,
        )
        return {
            _ELSEWHERE.get(quantity, "{split}/" + quantity).format(split=split): value
            for quantity, value in measured.items()
        }

    def _last_update(self) -> dict[str, Tensor]:
        if self._updates is None:
            return {}
        try:
            return self._updates.take()
        except Exception as error:  # noqa: BLE001 - what failed inside optimizer.step was kept for here
            self._say(f"gradients and updates are no longer measured ({error!r})")
            return {}

    def _weights(self) -> dict[str, Tensor]:
        began = time.perf_counter()
        with_spectra = self._spectra.allows(began)
        measured = weight_measures(
            self._model, init=self._init, optimizer=self._optimizer, matrices=with_spectra
        )
        if with_spectra:
            now = time.perf_counter()
            self._spectra.spent(now - began, now)
        return measured

    def _progress(self, step: int, splits: Mapping[str, Data]) -> dict[str, float]:
        values = {"progress/seconds": time.monotonic() - self._began}
        if self._how.examples_per_step is None:
            return values
        examples = float(step * self._how.examples_per_step)
        if self._flops_per_example is None:
            self._flops_per_example = _training_flops(self._model, next(iter(splits.values())))
        return values | {
            "progress/examples": examples,
            "progress/flops": examples * self._flops_per_example,
        }


def _training_flops(model: nn.Module, data: Data) -> float:
    with undisturbed(model, data):
        inputs, _ = next(iter(batches(data, batch_size=None)))
    return training_flops_per_example(model, inputs)


def to_floats(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """Bring scalar tensors of one device to the host in a single transfer.

    >>> to_floats({"a": torch.tensor(1.0), "b": torch.tensor(2, dtype=torch.int32)})
    {'a': 1.0, 'b': 2.0}
    """
    if not tensors:
        return {}
    first = next(iter(tensors.values()))
    wide = torch.float32 if first.device.type == "mps" else torch.float64
    together = torch.stack([value.detach().reshape(()).to(wide) for value in tensors.values()])
    values = cast("list[float]", together.tolist())
    return dict(zip(tensors, values, strict=True))
