"""The tracker: what a training loop holds."""

import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, Self

from grokscope.collectors.arguments import (
    check_model,
    check_names,
    check_parts,
    check_unknown,
    checked_store,
    checkpoint_buffer,
)
from grokscope.collectors.detecting.runner import DetectorRunner
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.schedule import Schedule, Timetable, log_spaced
from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.collectors.recording.array_buffer import Axes
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.recording.params import Config, params_of
from grokscope.collectors.recording.ranks import NullSink, is_first_process
from grokscope.collectors.recording.run_ids import TrackerError, checked_run_id
from grokscope.collectors.recording.run_status import status_of
from grokscope.collectors.recording.sink import Sink, open_sink
from grokscope.collectors.warning import Warnings, contained
from grokscope.schemas import OnlineDetector, Transition

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grokscope.collectors.detecting.checkpoints import Checkpoints
    from grokscope.collectors.evaluating.model_evaluator import Data, ModelEvaluator
    from grokscope.collectors.measures.instrument import Instrument, MeasureFn


class Tracker:
    """Logs a run's curves, norms and representation measures without slowing or stopping it.

    ``log`` costs microseconds: it appends one record to a file on the local disk; a separate process
    carries it into MLflow. Whatever goes wrong on the way is said once on stderr, counted in
    ``collector/dropped``, and never reaches the training loop. What the program itself throws does: an error
    that a signal's handler raises (a time limit), ``KeyboardInterrupt`` and ``SystemExit`` leave every method
    at once, and everything is as it was. Where several processes train one model, make a tracker in each: the
    first logs, the others do nothing, or their part where the model is sharded.

    Args:
        model: Measured by ``evaluate``; without one the tracker only logs.
        optimizer: Adds gradient norm and update ratio, read at the steps that are due.
        experiment: MLflow experiment, created if need be.
        config: A ``RunDescription``, mapping, dataclass or namespace; logged as params.
        name: The run's name; else its group and seed, else its id.
        store: MLflow tracking URI, else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``.
        schedule: Which steps are ``due``; 32 a decade by default.
        measures: What ``evaluate`` reads besides the default measures: instruments, or functions of a
            ``StepContext`` that return metric key -> scalar or ``Array``; see
            ``grokscope.collectors.measures``. One that has a default's name takes its place.
        measuring: How ``evaluate`` reads the model; see ``Measuring``.
        run_id: ``tracker.run_id`` of an earlier process, to go on with that run.
        detector: Fed with every evaluation; what it says is logged as ``detector/<kind>``.
        dense: Steps that are due besides those of ``schedule`` while the detector suspects an event; 128 a
            decade by default.
        checkpoints: States around what the detector reports; see
            ``grokscope.collectors.detecting.checkpoints``.
        sink: Where records go, for tests; else a spool under ``GROKSCOPE_HOME``.

    Raises:
        TrackerError: If an argument is not what it must be; a config that cannot be read is only said.
        ValueError: If the optimizer holds no parameter of the model.

    >>> from grokscope.collectors.testing import MemorySink
    >>> sink = MemorySink()
    >>> with Tracker(experiment="example", sink=sink) as tracker:
    ...     for step in range(3):
    ...         tracker.log(step, {"train/loss": 1.0 / (1 + step)})
    >>> sink.rows()
    [(0, 'train/loss', 1.0), (1, 'train/loss', 0.5), (2, 'train/loss', 0.3333333333333333)]
    """

    def __init__(  # noqa: PLR0913 - keyword-only options of one public face, each with a default
        self,
        model: "nn.Module | None" = None,
        optimizer: "Optimizer | None" = None,
        *,
        experiment: str,
        config: Config = None,
        name: str | None = None,
        store: str | None = None,
        schedule: Schedule | None = None,
        measures: "Sequence[Instrument | MeasureFn]" = (),
        measuring: Measuring | None = None,
        run_id: str | None = None,
        detector: OnlineDetector | None = None,
        dense: Schedule | None = None,
        checkpoints: "Checkpoints | None" = None,
        sink: Sink | None = None,
        **unknown: Never,
    ) -> None:
        check_unknown(unknown)
        check_names(experiment, name)
        check_parts(schedule=schedule, dense=dense, measures=measures, measuring=measuring, detector=detector)
        if model is not None:
            check_model(model, optimizer)
        self.run_id = uuid.uuid4().hex if run_id is None else checked_run_id(run_id)
        self.store = checked_store(store)
        warnings = Warnings(is_quiet=not is_first_process())
        states = checkpoint_buffer(checkpoints, model, detector, run_id=self.run_id, experiment=experiment)
        self._detector = None
        if detector is not None:
            self._detector = DetectorRunner(
                detector, dense=dense, checkpoints=states, warn=warnings.warn_once
            )
        self._timetable = Timetable(_is_due(schedule or log_spaced(), self._detector))
        self._has_model = model is not None
        self._evaluator = None
        if model is not None:
            self._evaluator = _evaluator(
                model,
                optimizer,
                is_due=self._timetable.is_next_due,
                measures=measures,
                how=measuring or Measuring(),
                warn=warnings.warn_once,
            )
        sink = sink or self._opened_sink(warnings, experiment=experiment, name=name, config=config)
        self._run = OpenRun(sink, warnings, store=self.store)

    @property
    def events(self) -> tuple[Transition, ...]:
        """What the detector has said so far, in the order it was said."""
        return () if self._detector is None else tuple(self._detector.events)

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Log scalars of one step: numbers, or tensors of one element on any device.

        Never waits for a device: a tensor on an accelerator is written once it has arrived. Anything that
        is not a number is left out with one warning; NaN and ±Inf are kept.

        Args:
            step: Optimizer step, an integer of at most 64 bits; may go back after a resume.
            values: Metric key -> value; keys of your own are welcome.
        """
        run = self._run
        if not run.is_mine():
            return
        if not run.is_open:
            self._not_logged(step, TrackerError("the run was closed before"), values)
            return
        try:
            run.buffer.add(step, values)
            self._timetable.logged(step)
        except Exception as error:
            if is_interrupt(error):
                raise
            self._not_logged(step, error, values)

    def log_array(self, step: int, name: str, values: Any, *, axes: Axes = None) -> None:
        """Log a small array of one step: a layer × k matrix of singular values, a histogram, a spectrum.

        It goes the way of the scalars and becomes an artifact of the run, which the store reads back as a
        frame. Never waits for a device. What cannot be logged (more than 65 536 values or four axes, no
        numbers, beyond 4 MiB a step or 256 MiB a run) is left out with one warning; NaN and ±Inf are kept.

        Args:
            step: Optimizer step, as for ``log``.
            name: Its name, as a metric's.
            values: A tensor on any device, a numpy array or nested lists; kept as float32 where it is that
                or narrower, as float64 otherwise.
            axes: Names of its axes in their order, or name -> a label for each place (``None``: numbered).

        >>> from grokscope.collectors.testing import MemorySink
        >>> sink = MemorySink()
        >>> tracker = Tracker(experiment="example", sink=sink)
        >>> tracker.log_array(0, "norms", [[3.0, 4.0]], axes={"layer": ["embed"], "k": None})
        >>> [(one.name, one.shape, one.axes[0].labels, one.values()) for one in sink.arrays]
        [('norms', (1, 2), ('embed',), [3.0, 4.0])]
        """
        self._run.log_array(step, name, values, axes)

    def due(self, step: int) -> bool:
        """Say whether ``step`` is one to evaluate at; asking changes nothing, in whatever order.

        >>> from grokscope.collectors.testing import MemorySink
        >>> tracker = Tracker(experiment="example", sink=MemorySink())
        >>> [step for step in range(41, 60) if tracker.due(step)]
        [43, 46, 49, 53, 57]
        """
        return self._timetable.is_due(step)

    def evaluate(
        self, step: int, splits: "Mapping[str, Data] | None" = None, /, **more: "Data"
    ) -> dict[str, float]:
        """Measure the model on each split and log everything, with one device synchronisation.

        The model, its gradients, its mode and the random state are as before when it returns (see
        ``grokscope.collectors.evaluating.preserved_state``). What the model or a loader raises costs the
        split that it was read for, and a measure that fails costs itself: both are said once on stderr.

        Args:
            step: Optimizer step.
            splits: Split name -> data, for names that are no identifiers (``shift:rotated``).
            more: The same as keywords: ``train=..., test=...``. Data is a pair (inputs, targets) of
                tensors or an iterable of such pairs; see ``grokscope.collectors.evaluating.forward_pass``.

        Returns:
            Metric key -> value, of what could be measured.

        Raises:
            TrackerError: If the tracker has no model.
        """
        if not self._has_model:
            raise TrackerError(
                "evaluate needs a model, and this tracker has none; write Tracker(model, optimizer, ...), "
                "or measure yourself and call log"
            )
        run, detector = self._run, self._detector
        if self._evaluator is None or not run.is_mine():
            return {}
        with contained(run.warnings.warn_once, f"the evaluation at step {shown(step)} failed"):
            values = self._evaluator.measure(step, {**(splits or {}), **more})
            self._timetable.measured(step)
            values["collector/dropped"] = float(run.dropped)
            if detector is not None:
                values |= detector.update(step, values)
            run.buffer.add(step, values)
            self._evaluator.spent(run.log_arrays(step, self._evaluator.arrays))
            return values
        return {}

    def close(self, status: str = "FINISHED") -> None:
        """End the run: wait at most five seconds for what is on its way, and say what is left.

        A ``with`` block closes as it ends, and a run that is still open when the program ends, as that does;
        the code of a ``SystemExit`` that was raised by hand, not by ``sys.exit``, cannot be known there.

        Args:
            status: FINISHED, FAILED or KILLED, in any case. Another word is said on stderr, and the run ends
                as the error that is being handled says, or as FINISHED.
        """
        if not self._run.is_open or not self._run.is_mine():
            return
        if self._evaluator is not None:
            with contained(self._run.warnings.warn_once, "the optimizer is still watched"):
                self._evaluator.close()
        self._run.end(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(status_of(error))

    def _opened_sink(self, warnings: Warnings, *, experiment: str, name: str | None, config: Config) -> Sink:
        if not is_first_process():
            return NullSink()
        params: dict[str, str] = {}
        must = "must be a RunDescription, mapping, dataclass or namespace that can be read"
        with contained(warnings.warn_once, f"the config {must} to be logged, got {type(config).__name__}"):
            params = params_of(config)
        return open_sink(self.run_id, store=self.store, experiment=experiment, name=name, params=params)

    def _not_logged(self, step: object, error: Exception, values: Mapping[str, Any]) -> None:
        try:
            count = len(values) if hasattr(values, "__len__") else 0
            self._run.warnings.warn_once(f"step {step!r} was not logged ({error!r})", dropped=count)
        except Exception as another:  # a step or an error that cannot even be shown
            if is_interrupt(another):
                raise
            self._run.warnings.warn_once("a step was not logged, and cannot be shown")


def _is_due(schedule: Schedule, detector: DetectorRunner | None) -> Schedule:
    if detector is None:
        return schedule
    return lambda step: schedule(step) or detector.is_due(step)


def _evaluator(model: "nn.Module", optimizer: "Optimizer | None", **options: Any) -> "ModelEvaluator | None":
    """Return what evaluates the model; ``None`` where the first process measures the whole model alone."""
    from grokscope.collectors.evaluating.model_evaluator import ModelEvaluator  # noqa: PLC0415
    from grokscope.collectors.tensors.shards import is_sharded  # noqa: PLC0415 - torch is optional

    if not is_first_process() and not is_sharded(model):
        return None
    return ModelEvaluator(model, optimizer, **options)
