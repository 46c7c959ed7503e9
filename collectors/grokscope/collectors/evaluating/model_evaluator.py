"""One reading of everything a model tells at a step: splits, weights, updates, progress, and its own cost."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluating.batches import Batch, batches, parts_of
from grokscope.collectors.evaluating.forward_pass import Pass, plain_pass
from grokscope.collectors.evaluating.instrument_set import InstrumentSet
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.preserved_state import device_of, plain_module, preserved_state
from grokscope.collectors.evaluating.saved_tensors import WrittenParameters
from grokscope.collectors.evaluating.stopwatch import Stopwatch
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.interrupts import shown
from grokscope.collectors.measures import default, default_arrays
from grokscope.collectors.measures.instrument import Array, Instrument, MeasureFn, StepContext
from grokscope.collectors.measures.outputs.curves import curve_measures
from grokscope.collectors.measures.progress import training_flops_per_example
from grokscope.collectors.tensors.shards import whole
from grokscope.collectors.warning import contained
from grokscope.schemas import GrokscopeError, is_split

Data = Batch | Iterable[Batch]

_LEAST_PART = 0.25


class ModelEvaluator:
    """Reads a model without changing it.

    Keeps one copy of the initial parameters on their device, for the distance from them.

    Args:
        model: Any module whose output is logits [N, C] or [N, T, C].
        optimizer: Hooked to read gradients and updates at the steps that are due; may be ``None``.
        is_due: Asked inside ``optimizer.step`` whether that step will be measured.
        measures: Instruments that are read besides the default ones.
        how: Options.
        warn: Takes a sentence about a measure that failed while the others went on.
    """

    def __init__(  # noqa: PLR0913 - all but the model and its optimizer by keyword
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        *,
        is_due: Callable[[], bool],
        measures: Sequence[Instrument | MeasureFn],
        how: Measuring,
        warn: Callable[[str], None],
    ) -> None:
        self._plain = plain_module(model)
        self._how = how
        self._warn = warn
        own = (*default(), *default_arrays()) if how.defaults else ()
        self._instruments = InstrumentSet(measures, warn=warn, defaults=own)
        self._stopwatch = Stopwatch(device_of(model))
        self._optimizer = optimizer
        self._init = snapshot(model)
        self._written = WrittenParameters(warn=warn)
        self._updates = None if optimizer is None else UpdateRecorder(model, optimizer, is_due=is_due)
        self._began = time.monotonic()
        self._own_seconds = 0.0
        self._flops_per_example: float | None = None

    def measure(self, step: int, splits: Mapping[str, Data]) -> dict[str, float]:
        """Return every measure of this step by its full key; a part that fails is said and left out.

        All tensors stay on the device until the end, where one transfer brings them to the host.
        """
        began = time.perf_counter()
        passes: dict[str, Pass] = {}
        tensors: dict[str, Tensor | float] = {}
        with preserved_state(self._plain, *splits.values(), written=self._written):
            for split, data in splits.items():
                with self._apart(f"the split {split!r}", step):
                    seen = self._pass(split, data)
                    # Right behind the pass, while its logits are still in the processor's cache.
                    curves = curve_measures(seen.logits, seen.targets)
                    tensors |= {f"{split}/{quantity}": value for quantity, value in curves.items()}
                    passes[split] = seen
            with self._apart("the weights", step):
                tensors |= weight_measures(
                    self._plain, init=self._init, optimizer=self._optimizer, matrices=False
                )
            with self._apart("gradients and updates, which are no longer recorded,", step):
                tensors |= self._updates.pop() if self._updates is not None else {}
            context = self._context(step, splits, passes)
            tensors |= self._instruments.read(context, self._stopwatch, share=self._costly_share())
        values = to_floats(tensors) | self._progress(step, {split: splits[split] for split in passes})
        return values | self._cost(time.perf_counter() - began)

    @property
    def arrays(self) -> Mapping[str, Array]:
        """The arrays that the last reading gave, by name."""
        return self._instruments.arrays

    def spent(self, seconds: float) -> None:
        """Count what was spent on keeping what was measured."""
        self._own_seconds += seconds

    def close(self) -> None:
        """Remove the optimizer's hooks."""
        if self._updates is not None:
            self._updates.close()

    def _pass(self, split: str, data: Data) -> Pass:
        if not is_split(split):
            raise GrokscopeError(
                f"{split!r} is not a split; allowed: train, test, val or shift:<name>, "
                f'for instance evaluate(step, {{"shift:{split}": data}})'
            )
        return plain_pass(
            self._plain,
            data,
            features=self._how.features,
            batch_size=self._how.batch_size,
            ignore_index=self._how.ignore_index,
        )

    def _context(self, step: int, splits: Mapping[str, Data], passes: Mapping[str, Pass]) -> StepContext:
        return StepContext(
            step=step,
            model=self._plain,
            optimizer=self._optimizer,
            init=self._init,
            splits=splits,
            passes=passes,
        )

    def _costly_share(self) -> float:
        """Return what tier 0 leaves of the budget, but at least a part: tiny models have measures too."""
        running = max(time.monotonic() - self._began, 1e-9)
        free = (self._own_seconds - self._instruments.costly_seconds) / running
        return max(self._how.budget * _LEAST_PART, self._how.budget - free)

    def _cost(self, seconds: float) -> dict[str, float]:
        settled = self._instruments.settle(self._stopwatch.laps())
        self._own_seconds += seconds
        running = time.monotonic() - self._began
        return {
            "collector/seconds": self._own_seconds,
            "collector/share": self._own_seconds / max(running, self._own_seconds),
            **settled,
        }

    def _apart(self, part: str, step: int) -> AbstractContextManager[object, bool | None]:
        """Keep what fails inside to the part that it belongs to."""
        return contained(self._warn, f"{part} could not be measured at step {shown(step)}")

    def _progress(self, step: int, splits: Mapping[str, Data]) -> dict[str, float]:
        values = {"progress/seconds": time.monotonic() - self._began}
        if self._how.examples_per_step is None:
            return values
        values["progress/examples"] = float(step * self._how.examples_per_step)
        if self._flops_per_example is None and splits:
            with self._apart("progress/flops", step):
                self._flops_per_example = self._training_flops(next(iter(splits.values())))
        if self._flops_per_example is not None:
            values["progress/flops"] = values["progress/examples"] * self._flops_per_example
        return values

    def _training_flops(self, data: Data) -> float:
        with preserved_state(self._plain, data, written=self._written):
            inputs, _ = next(iter(batches(data, batch_size=None)))
            there = tuple(part.to(device_of(self._plain)) for part in parts_of(inputs))
            return training_flops_per_example(self._plain, there)


def to_floats(values: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Bring scalars to the host: the tensors, of one device, in a single transfer.

    >>> to_floats({"a": torch.tensor(1.0), "b": 0.5, "c": torch.tensor(2, dtype=torch.int32)})
    {'a': 1.0, 'b': 0.5, 'c': 2.0}
    """
    by_type: dict[torch.dtype, dict[str, Tensor]] = {}
    for key, value in values.items():
        if isinstance(value, Tensor):
            scalar = whole(value.detach())
            by_type.setdefault(scalar.dtype, {})[key] = scalar.reshape(()) if scalar.ndim else scalar
    there = dict[str, float]()
    if by_type:
        # Few scalars differ in type: stacked type by type, hardly any has to be converted by itself.
        stacked = [torch.stack([*scalars.values()]) for scalars in by_type.values()]
        wide = torch.float32 if stacked[0].device.type == "mps" else torch.float64
        together = torch.cat([part.to(stacked[0].device, wide) for part in stacked])
        keys = [key for scalars in by_type.values() for key in scalars]
        there = dict(zip(keys, cast("list[float]", together.tolist()), strict=True))
    return {key: there[key] if key in there else float(value) for key, value in values.items()}
