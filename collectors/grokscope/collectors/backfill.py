"""Measuring saved states after training, into the run that they came from."""

from importlib.util import find_spec

from grokscope.schemas.extras import Extra, missing

if find_spec("torch") is None:
    raise ImportError(missing("backfill", "torch", Extra.TORCH))

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from torch import Tensor, nn

from grokscope.collectors.detecting.checkpoints import Checkpoint, CheckpointError, saved
from grokscope.collectors.evaluating.costs.stopwatch import Stopwatch
from grokscope.collectors.evaluating.forward_pass import plain_pass
from grokscope.collectors.evaluating.instrument_set import InstrumentSet
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.model_evaluator import Data, to_floats
from grokscope.collectors.evaluating.preserved_state import device_of, plain_module, preserved_state
from grokscope.collectors.evaluating.splits.context import context_of
from grokscope.collectors.evaluating.splits.opened import OpenSplit
from grokscope.collectors.evaluating.splits.output_reader import OutputReader
from grokscope.collectors.evaluating.weights import snapshot
from grokscope.collectors.measures.instrument import Instrument, MeasureFn
from grokscope.collectors.recording.sink import Sink
from grokscope.collectors.tracker import Tracker
from grokscope.collectors.warning import warn
from grokscope.schemas.metrics.split_names import split_names
from grokscope.schemas.workers import HERE, Failed, Workers, shared_out

Splits = Mapping[str, Data]
Measures = Sequence[Instrument | MeasureFn]
Reading = tuple[int, dict[str, float]]
_HOW = Measuring()


def backfill(  # noqa: PLR0913 - keyword-only options of one public face, each with a default
    folder: str | Path,
    model: nn.Module,
    splits: Splits,
    *,
    measures: Measures,
    store: str | None = None,
    status: str = "FINISHED",
    report: Callable[[int], object] | None = None,
    sink: Sink | None = None,
    workers: Workers = HERE,
) -> int:
    """Read instruments over a run's checkpoints, and log what they give into the same MLflow run.

    The run itself must be over: a run has one writer at a time. Only ``measures`` are logged; the curves stay
    as training wrote them. ``StepContext.init`` is the state of step 0, which ``Checkpoints`` always keeps,
    and empty without one; ``StepContext.optimizer`` is ``None``.

    Args:
        folder: Of one run, as ``Checkpoints`` fills it.
        model: Built as for training; its state is overwritten, and put back at the end.
        splits: Split name -> data, as for ``Tracker.evaluate``.
        measures: Instruments, or functions of a ``StepContext``; there is no budget here.
        store: Where the run is, as for ``Tracker``.
        status: The run's own, which it keeps.
        report: Called with the step of each checkpoint that is done.
        sink: Where records go, for tests.
        workers: Who measures: some of the measures a task, each over all checkpoints, since a measure may
            remember what it has read before. Of several tasks one that fails costs none of the others what
            it gave; model, splits and measures are pickled for them, and read the checkpoints where they lie.

    Returns:
        How many values were logged.

    Raises:
        CheckpointError: If the folder holds none, they are of several runs, or do not fit the model.
        TrackerError: If two instruments have one name, or ``store`` is no address.

    Cost: a forward pass of every split and the measures, for each checkpoint.

    >>> import tempfile, torch
    >>> from grokscope.collectors.detecting.checkpoints import Checkpoints
    >>> from grokscope.collectors.testing import MemorySink
    >>> model, data = nn.Linear(2, 2), (torch.zeros(1, 2), torch.zeros(1).long())
    >>> sink = MemorySink()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     buffer = Checkpoints(folder).buffer(model, run_id="run", experiment="example")
    ...     buffer.save(7)
    ...     backfill(
    ...         f"{folder}/run",
    ...         model,
    ...         {"test": data},
    ...         measures=[lambda context: {"mine/step": float(context.step)}],
    ...         sink=sink,
    ...     )
    1
    >>> sink.rows()
    [(7, 'mine/step', 7.0)]
    """
    checkpoints = saved(folder)
    first = _of_one_run(checkpoints, folder)
    InstrumentSet(measures, warn=warn)  # two of one name are told before anything is measured
    readings = partial(_readings, checkpoints=checkpoints, model=model, splits=splits)
    logged = 0
    with Tracker(experiment=first.experiment, store=store, run_id=first.run_id, sink=sink) as tracker:
        told = readings(measures) if workers.count == 1 else _shared_out(readings, measures, workers)
        for step, values in told:
            tracker.log(step, values)
            logged += len(values)
            if report is not None:
                report(step)
        tracker.close(status)
    return logged


def _shared_out(
    readings: Callable[[Measures], Iterator[Reading]], measures: Measures, workers: Workers
) -> Iterator[Reading]:
    """Yield what several tasks have read, step by step, and raise what the first that failed has raised."""
    found: dict[int, dict[str, float]] = {}
    failures: list[Failed] = []
    for result in workers.map(_All(readings), shared_out(measures, workers.count)):
        if isinstance(result, Failed):
            failures.append(result)
            continue
        for step, values in result.value:
            found.setdefault(step, {}).update(values)
    yield from found.items()
    for failed in failures:
        raise failed.error


@dataclass(frozen=True, slots=True)
class _All:
    """All readings at once, as a task returns them."""

    readings: Callable[[Measures], Iterator[Reading]]

    def __call__(self, measures: Measures) -> list[Reading]:
        return list(self.readings(measures))


def _readings(
    measures: Measures, *, checkpoints: Sequence[Checkpoint], model: nn.Module, splits: Splits
) -> Iterator[Reading]:
    """Yield what the measures give at each checkpoint; the model is as before at the end."""
    failures: list[str] = []
    instruments = InstrumentSet(measures, warn=failures.append)
    # Said once for all checkpoints and batches.
    reader = OutputReader(plain_module(model), _HOW, say=cache(warn))
    before = {name: value.clone() for name, value in plain_module(model).state_dict().items()}
    try:
        init = _init(checkpoints, model)
        for checkpoint in checkpoints:
            checkpoint.load_into(model)
            values = _read(instruments, model, splits, reader, init=init, step=checkpoint.step)
            _raise_first(failures)
            yield checkpoint.step, values
    finally:
        plain_module(model).load_state_dict(before)


def _of_one_run(checkpoints: Sequence[Checkpoint], folder: str | Path) -> Checkpoint:
    first = checkpoints[0]
    if len({(c.run_id, c.experiment) for c in checkpoints}) > 1 or not first.run_id:
        raise CheckpointError(
            f"{folder} must hold checkpoints of one run, saved by a tracker, got those of "
            f"{sorted({c.run_id or 'no run' for c in checkpoints})}; give each run a folder of its own"
        )
    return first


def _init(checkpoints: Sequence[Checkpoint], model: nn.Module) -> dict[str, Tensor]:
    if checkpoints[0].step != 0:
        return {}
    checkpoints[0].load_into(model)
    return snapshot(model)


def _read(  # noqa: PLR0913 - what belongs to one checkpoint by keyword
    instruments: InstrumentSet,
    model: nn.Module,
    splits: Splits,
    reader: OutputReader,
    *,
    init: Mapping[str, Tensor],
    step: int,
) -> dict[str, float]:
    plain, names = plain_module(model), split_names(splits)
    with preserved_state(model, *splits.values()):
        opened = {names[s]: OpenSplit(names[s], data, reader, how=_HOW) for s, data in splits.items()}
        passes = {split: plain_pass(plain, one, reader, how=_HOW) for split, one in opened.items()}
        context = context_of(opened, passes, reader, step=step, model=plain, init=init)
        return to_floats(instruments.read(context, Stopwatch(device_of(model)), share=math.inf))


def _raise_first(failures: list[str]) -> None:
    # In training a measure that fails is passed over; here nothing else would be left to do.
    if failures:
        raise CheckpointError(f"{failures[0]}; nothing further was measured")
