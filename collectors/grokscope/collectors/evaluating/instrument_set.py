"""The instruments of a tracker: read within their budget, timed, and kept apart when one of them fails."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from torch import Tensor

from grokscope.collectors.evaluating.costs.budget import Budget
from grokscope.collectors.evaluating.costs.stopwatch import Stopwatch
from grokscope.collectors.failures import Failures
from grokscope.collectors.measures.array_instrument import ArrayInstrument
from grokscope.collectors.measures.instrument import Array, Instrument, MeasureFn, Named, StepContext
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.tensors.shards import agreed
from grokscope.schemas import Tier


class InstrumentSet:
    """Reads instruments: those of tier 0 always, the others when the budget lets them.

    An instrument that fails is said once and left out at this step; the others go on.

    Args:
        instruments: Instruments, or plain functions of a ``StepContext`` (which count as tier 1). One that is
            given twice is read once.
        warn: Takes a sentence about an instrument that failed.
        failures: Counts those that failed, in place of ``warn`` alone.
        defaults: Read too, first; one of ``instruments`` by the same name takes the place of a default.

    Attributes:
        arrays: Those that the last reading gave, by name.

    Raises:
        TrackerError: If what is given is no instrument, or two have one name.

    >>> import torch
    >>> from torch import nn
    >>> instruments = InstrumentSet([lambda context: {"mine/step": float(context.step)}], warn=print)
    >>> instruments.read(StepContext(step=3, model=nn.ReLU()), Stopwatch(torch.device("cpu")), share=0.02)
    {'mine/step': 3.0}
    """

    def __init__(
        self,
        instruments: Iterable[Instrument | MeasureFn],
        *,
        warn: Callable[[str], None],
        failures: Failures | None = None,
        defaults: Iterable[Instrument] = (),
    ) -> None:
        self._instruments = {one.name: one for one in defaults} | _by_name(instruments)
        self._costly = [name for name, i in self._instruments.items() if i.tier is not Tier.FREE]
        self._seconds = dict.fromkeys(self._instruments, 0.0)
        self._budget = Budget()
        self._failures = failures or Failures(warn)
        self.arrays: dict[str, Array] = {}

    @property
    def costly_seconds(self) -> float:
        """What all instruments but those of tier 0 have taken so far."""
        return sum(self._seconds[name] for name in self._costly)

    def read(self, context: StepContext, watch: Stopwatch, *, share: float) -> dict[str, Tensor | float]:
        """Return what the instruments whose turn it is give, timed under their names.

        Args:
            context: What they look at.
            watch: Times them; ``settle`` wants its laps.
            share: Of the run's time that all costly ones together may take.
        """
        self.arrays = {}
        due = {name: one for name, one in self._instruments.items() if _is_due(one, context.step)}
        costly = [name for name in self._costly if name in due]
        turn = agreed(self._budget.allowed(costly, share=share, now=time.monotonic()), context.model)
        values: dict[str, Tensor | float] = {}
        for name, instrument in due.items():
            if instrument.tier is Tier.FREE or name in turn:
                with watch.timing(name):
                    values |= self._read(instrument, context)
        return values

    def settle(self, laps: Mapping[str, float]) -> dict[str, float]:
        """Charge what the instruments have cost, and return what is to be logged about it.

        Args:
            laps: Seconds by name of instrument, as the stopwatch of ``read`` has them.
        """
        mine = {name: seconds for name, seconds in laps.items() if name in self._instruments}
        self._budget.spent(mine, time.monotonic())
        for name, seconds in mine.items():
            self._seconds[name] += seconds
        skipped = {name: self._budget.skipped(name) for name in self._instruments}
        return {
            "collector/skipped": float(sum(skipped.values())),
            **{f"collector/skipped/{name}": float(count) for name, count in skipped.items() if count},
            **{f"collector/seconds/{name}": self._seconds[name] for name in mine},
        }

    def _read(self, instrument: Instrument, context: StepContext) -> Mapping[str, Tensor | float]:
        with self._failures.apart(instrument.name, context.step):
            given = instrument(context)
            scalars = {
                key: _scalar(key, value) for key, value in given.items() if not isinstance(value, Array)
            }
            self.arrays |= {key: value for key, value in given.items() if isinstance(value, Array)}
            return scalars
        return {}


def _is_due(instrument: Instrument, step: int) -> bool:
    return not isinstance(instrument, ArrayInstrument) or instrument.is_due(step)


def _by_name(given: Iterable[Instrument | MeasureFn]) -> dict[str, Instrument]:
    by_name: dict[str, tuple[Instrument | MeasureFn, Instrument]] = {}
    for read in given:
        one = _named(read)
        earlier, _ = by_name.setdefault(one.name, (read, one))
        if earlier is not read:
            raise TrackerError(
                f"two instruments are called {one.name!r}; give one of them, or give one another name, as in "
                "instrument(name=...)(function)"
            )
    return {name: one for name, (_, one) in by_name.items()}


def _scalar(key: str, value: Tensor | float) -> Tensor | float:
    if not isinstance(value, Tensor):
        return float(value)
    if value.numel() != 1 or value.is_complex():
        kind = f"{value.dtype} of {list(value.shape)}"
        raise ValueError(f"{key!r} must be a number or a real tensor of one element, got {kind}")
    return value


def _named(given: Instrument | MeasureFn) -> Instrument:
    if not callable(given):
        raise TrackerError(
            "measures are instruments, as grokscope.collectors.measures makes them, or functions of a "
            f"StepContext, got {type(given).__name__}; call its constructor, or write one function"
        )
    if isinstance(getattr(given, "tier", None), Tier) and isinstance(getattr(given, "name", None), str):
        return cast("Instrument", given)
    return Named(name=getattr(given, "__name__", "measure").strip("<>"), tier=Tier.CHEAP, function=given)
