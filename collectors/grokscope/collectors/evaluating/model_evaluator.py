"""One reading of everything a model tells at a step: splits, weights, updates, progress, and its own cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluating.batches import batches, parts_of
from grokscope.collectors.evaluating.costs.stopwatch import Stopwatch
from grokscope.collectors.evaluating.forward_pass import Pass, plain_pass
from grokscope.collectors.evaluating.instrument_set import InstrumentSet
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.preserved_state import device_of, plain_module, preserved_state
from grokscope.collectors.evaluating.saved_tensors import WrittenParameters
from grokscope.collectors.evaluating.splits.context import context_of
from grokscope.collectors.evaluating.splits.opened import OpenSplit, bounds_of
from grokscope.collectors.evaluating.splits.output_reader import OutputReader
from grokscope.collectors.evaluating.splits.reading.sources import Bounds
from grokscope.collectors.evaluating.splits.scores import scores_of
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import InitialParameters, weight_measures
from grokscope.collectors.exposure.batch_size import size_of
from grokscope.collectors.exposure.exposure import Exposure
from grokscope.collectors.failures import Failures
from grokscope.collectors.measures import default, default_arrays
from grokscope.collectors.measures.instrument import Array, Instrument, MeasureFn, StepContext
from grokscope.collectors.measures.progress import TrainingFlops, training_flops_per_example
from grokscope.collectors.tensors.shards import is_sharded, whole
from grokscope.collectors.warning import contained
from grokscope.schemas import SPLITS
from grokscope.schemas.metrics.split_names import split_names

Data = Any
"""A split as people hold it; see ``Tracker.evaluate``."""

_LEAST_PART = 0.25
_PLAIN = frozenset(SPLITS)


class ModelEvaluator:
    """Reads a model without changing it.

    Keeps one copy of the initial parameters on their device, for the distance from them.

    Args:
        model: Any module.
        optimizer: Hooked to read gradients and updates at the steps that are due; may be ``None``.
        is_due: Asked inside ``optimizer.step`` whether that step will be measured.
        measures: Instruments that are read besides the default ones.
        how: Options.
        warn: Takes a sentence about a measure that failed while the others went on.
        exposure: Tells what training has seen; without one only ``how`` does.
        failures: Counts what fails.
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
        exposure: Exposure | None = None,
        failures: Failures | None = None,
    ) -> None:
        self._plain = plain_module(model)
        # A clock that differs between processes would let one stop where others wait for it.
        self._how = replace(how, max_seconds=None) if is_sharded(model) else how
        self._warn = warn
        self._reader = OutputReader(self._plain, how, say=warn)
        self._bounds: dict[str, Bounds] = {}
        self._failures = failures or Failures(warn)
        own = (*default(), *default_arrays()) if how.defaults else ()
        self._instruments = InstrumentSet(measures, warn=warn, failures=self._failures, defaults=own)
        self._stopwatch = Stopwatch(device_of(model))
        self._optimizer = optimizer
        self._init = InitialParameters(model, warn=warn)
        self._written = WrittenParameters(warn=warn)
        self._updates = None if optimizer is None else UpdateRecorder(model, optimizer, is_due=is_due)
        self._began = time.monotonic()
        self._own_seconds = 0.0
        self._exposure = exposure or Exposure(how, warn=warn)
        self._flops: TrainingFlops | None = None
        self._is_flops_tried = False

    def measure(self, step: int, splits: Mapping[str, Data]) -> dict[str, float]:
        """Return every measure of this step by its full key; a part that fails is said and left out.

        All tensors stay on the device until the end, where one transfer brings them to the host.
        """
        began = time.perf_counter()
        splits = self._named(splits, step)
        passes: dict[str, Pass] = {}
        opened: dict[str, OpenSplit] = {}
        tensors: dict[str, Tensor | float] = {}
        with preserved_state(self._plain, *splits.values(), written=self._written):
            # Before the model runs: a forward pass may write parameters, which come back only at the end.
            of_weights = self._of_weights(step)
            for split, data in splits.items():
                with self._failures.apart(f"the split {split!r}", step):
                    one = self._opened(split, data)
                    seen = plain_pass(self._plain, one, self._reader, how=self._how)
                    self._say_bounds(one)
                    # Right behind the pass, while its logits are still in the processor's cache.
                    scores = scores_of(seen, sampled=one.sampled, is_part=one.is_part)
                    tensors |= {f"{split}/{quantity}": value for quantity, value in scores.items()}
                    passes[split], opened[split] = seen, one
            tensors |= of_weights
            with self._failures.apart("gradients and updates, which are no longer recorded,", step):
                tensors |= self._updates.pop() if self._updates is not None else {}
            parts = {"model": self._plain, "optimizer": self._optimizer, "init": self._init}
            context = context_of(opened, passes, self._reader, step=step, **parts)
            tensors |= self._instruments.read(context, self._stopwatch, share=self._costly_share())
            flops = self._progress(step, context)
        values = to_floats(tensors) | flops
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

    def _named(self, splits: Mapping[str, Data], step: int) -> dict[str, Data]:
        """Return data by split; a name that none can have costs only its own."""
        if splits.keys() <= _PLAIN:
            return dict(splits)
        usable: list[str] = []
        for name in splits:
            with self._failures.apart(f"the split {name!r}", step):
                split_names([name])
                usable.append(name)
        return {split: splits[name] for name, split in split_names(usable).items()}

    def _opened(self, split: str, data: Data) -> OpenSplit:
        bounds = self._bounds.setdefault(split, bounds_of(self._how))
        return OpenSplit(split, data, self._reader, how=self._how, bounds=bounds)

    def _say_bounds(self, split: OpenSplit) -> None:
        if not split.is_part or split.bounds.is_said:
            return
        split.bounds.is_said = True
        count, option = split.bounds.examples, "max_batches=..., max_seconds=..."
        which = f"the first {count} examples are read"
        if self._how.at_most is not None:
            option = f"at_most=..., {option}"
        if split.of is not None and count < split.of and not split.bounds.is_cut:
            which = f"{count} of {split.of} examples are read, drawn over all of them"
        self._warn(f"of the split {split.name!r} {which}, {split.again}; Measuring({option}) says how many")

    def _of_weights(self, step: int) -> dict[str, Tensor]:
        with self._failures.apart("the weights", step):
            self._init.follow(self._plain, step=step)
            return weight_measures(self._plain, init=self._init, optimizer=self._optimizer, matrices=False)
        return {}

    def _costly_share(self) -> float:
        """Return what tier 0 leaves of the budget, but at least a part: tiny models have measures too."""
        running = max(time.monotonic() - self._began, 1e-9)
        free = (self._own_seconds - self._instruments.costly_seconds) / running
        return max(self._how.budget * _LEAST_PART, self._how.budget - free)

    def _cost(self, seconds: float) -> dict[str, float]:
        settled = self._instruments.settle(self._stopwatch.laps())
        recording = self._updates.pop_seconds() if self._updates is not None else 0.0
        self._own_seconds += seconds + recording
        running = time.monotonic() - self._began
        return {
            "collector/seconds": self._own_seconds,
            "collector/share": self._own_seconds / max(running, self._own_seconds),
            **settled,
        }

    def _progress(self, step: int, context: StepContext) -> dict[str, float]:
        values = {"progress/seconds": time.monotonic() - self._began}
        with self._failures.apart("what training has seen", step):
            values |= to_floats(self._exposure.values(step))
        seen = self._exposure.counts(step)
        # Whether a batch was counted may differ between processes, and a sharded model needs them all.
        is_same = self._how.examples_per_step is not None or not is_sharded(self._plain)
        if (seen.examples is None and seen.positions is None) or not is_same:
            return values
        if context.splits and not self._is_flops_tried:
            self._is_flops_tried = True  # what a model takes does not change: a second try would fail too
            with contained(self._warn, "progress/flops is not logged"):
                self._flops = self._training_flops(next(iter(context.splits.values())))
        total = None if self._flops is None else self._flops.of(seen)
        return values | ({} if total is None else to_floats({"progress/flops": total}))

    def _training_flops(self, data: Data) -> TrainingFlops:
        inputs, targets = next(iter(batches(data, batch_size=None)))
        there = tuple(part.to(device_of(self._plain)) for part in parts_of(inputs))
        per_example = training_flops_per_example(self._plain, there)
        size = size_of((parts_of(inputs), targets), ignore_index=None)
        length = None if size.positions is None else size.positions / size.examples
        return TrainingFlops(per_example=per_example, length=length)


def to_floats(values: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Bring scalars to the host: the tensors, of one device, in a single transfer.

    >>> to_floats({"a": torch.tensor(1.0), "b": 0.5, "c": torch.tensor(2, dtype=torch.int32)})
    {'a': 1.0, 'b': 0.5, 'c': 2.0}
    """
    by_type: dict[torch.dtype, dict[str, Tensor]] = {}
    for key, value in values.items():
        if isinstance(value, Tensor):
            scalar = value if type(value) is Tensor else whole(value.detach())
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
