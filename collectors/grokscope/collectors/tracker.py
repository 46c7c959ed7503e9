"""The tracker: what a training loop holds."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, Self

from grokscope.collectors.arguments import (
    check_model,
    check_names,
    check_parts,
    check_unknown,
    checked_store,
    checkpoint_buffer,
    measured_optimizer,
)
from grokscope.collectors.detecting.runner import DetectorRunner
from grokscope.collectors.evaluating.costs.thinning import ThinnedSchedule
from grokscope.collectors.evaluating.local_evaluator import LocalEvaluator
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.schedule import Schedule, Timetable, any_of
from grokscope.collectors.exposure.exposure import Exposure, exposure_params
from grokscope.collectors.optimizers import given_optimizers
from grokscope.collectors.recording.arrays.axes import Axes
from grokscope.collectors.recording.forgotten import FORGOTTEN
from grokscope.collectors.recording.given_run import run_for
from grokscope.collectors.recording.late_sink import sink_of_first
from grokscope.collectors.recording.notebooks import NOTEBOOK
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.recording.params import Config, params_of
from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.recording.run_status import status_of
from grokscope.collectors.recording.scalar_buffer import whole_step
from grokscope.collectors.recording.sink import Sink, open_sink
from grokscope.collectors.warning import Warnings, contained
from grokscope.schemas import OnlineDetector, Transition

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grokscope.collectors.detecting.checkpoints import Checkpoints
    from grokscope.collectors.evaluating.model_evaluator import Data
    from grokscope.collectors.measures.instrument import Instrument, MeasureFn


class Tracker:
    """Logs a run's curves, norms and representation measures without slowing or stopping it.

    ``log`` costs microseconds: it appends one record to a file on the local disk; a separate process
    carries it into MLflow. Whatever goes wrong on the way is said once on stderr, counted in
    ``collector/dropped``, and never reaches the training loop. What the program itself throws does: an error
    that a signal's handler raises (a time limit), ``KeyboardInterrupt`` and ``SystemExit`` leave every method
    at once, and everything is as it was. Where several processes train one model, make a tracker in each,
    before or after their group is there: the first logs, the others do nothing, or their part where the model
    is sharded. In a notebook, a cell that makes the tracker again ends the run before, as does one that is
    broken off; a run that is logged to after that goes on.

    Args:
        model: Measured by ``evaluate``; without one the tracker only logs.
        optimizer: Adds gradient norm and update ratio, read at the steps that are due. One, or a list or
            mapping of those that make a step together; wrappers (Accelerate's, SAM) are looked into.
        experiment: MLflow experiment, created if need be.
        config: A ``RunDescription``, mapping, dataclass, namespace or whatever else holds the settings;
            logged as params.
        name: The run's name; else its group and seed, else its id.
        store: MLflow tracking URI, else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``.
        schedule: Which steps are ``due``; 32 a decade by default, and 16 or 8 where these would take more
            than 5 % of the run's time, which is said. One that is given is never thinned.
        measures: What ``evaluate`` reads besides the default measures: instruments, or functions of a
            ``StepContext`` that return metric key -> scalar or ``Array``; see
            ``grokscope.collectors.measures``. One that has a default's name takes its place.
        measuring: How ``evaluate`` reads the model; see ``Measuring``.
        run_id: ``tracker.run_id`` of an earlier process, to go on with that run. Without one, the first
            tracker of a sweep's job takes the sweep's run, experiment and store; see ``docs/sweeps.md``.
        detector: Fed with every evaluation; what it says is logged as ``detector/<kind>``.
        dense: Steps that are due besides those of ``schedule`` while the detector suspects an event; 128 a
            decade by default.
        checkpoints: States around what the detector reports; see
            ``grokscope.collectors.detecting.checkpoints``.
        sink: Where records go, for tests; else a spool under ``GROKSCOPE_HOME``.

    Raises:
        TrackerError: If an argument is not what it must be; a config that cannot be read is only said.

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
        optimizer: "Optimizer | Iterable[Optimizer] | Mapping[str, Optimizer] | None" = None,
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
        check_model(model, optimizer)
        given = run_for(run_id, experiment=experiment, store=store)
        self.run_id, self.store, experiment = given.run_id, checked_store(given.store), given.experiment
        warnings = Warnings(is_quiet=not is_first_process())
        say, how = warnings.warn_once, measuring or Measuring()
        states = checkpoint_buffer(checkpoints, model, detector, run_id=self.run_id, experiment=experiment)
        self._detector = (
            None if detector is None else DetectorRunner(detector, dense=dense, checkpoints=states, warn=say)
        )
        closer = () if self._detector is None else (self._detector.is_due,)
        self._schedule = ThinnedSchedule(schedule, warn=say)
        self._timetable = Timetable(any_of(self._schedule.is_due, *closer), warn=say)
        self.exposure = Exposure(how, warn=say, goes_on=run_id is not None)
        params = given.params_over({**exposure_params(how), **params_of(config, warn=say)})
        options = {"measures": measures, "how": how, "exposure": self.exposure}
        readable = None if model is None else measured_optimizer(model, optimizer, warn=say)
        self._evaluator = LocalEvaluator(
            model, readable, warn=say, is_due=self._timetable.is_next_due, **options
        )
        opened = partial(
            open_sink, self.run_id, store=self.store, experiment=experiment, name=name, params=params
        )
        self._run = OpenRun(sink or sink_of_first(opened), warnings, reopen=opened if sink is None else None)
        self._run.failures = self._evaluator.failures
        FORGOTTEN.watch(self, self._run)
        NOTEBOOK.watch(self, self._run, experiment=experiment, owners=[model, *given_optimizers(optimizer)])

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
        if run.log(step, values):
            step = run.buffer.last_step
            self._timetable.logged(step, values)
            if seen := self.exposure.due(step):
                run.log(step, {key: seen[key] for key in seen.keys() - values.keys()}, is_measured=True)

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

    def seen(
        self, batch: object = None, /, *, examples: Any = None, tokens: Any = None, ids: Any = None
    ) -> None:
        """Count one batch that the model is trained on; each micro-batch where gradients accumulate.

        What has been seen is logged with the steps that follow (``progress/examples``, ``progress/tokens``,
        ``progress/flops``; with the size of the training set in ``Measuring``, ``progress/epochs`` and
        ``progress/repetitions``). Shapes are read, and a mask on an accelerator is summed there: nothing is
        waited for. Of several processes the first counts, and what it counts is taken times their number.
        ``exposure.state_dict()`` goes into a checkpoint; see ``grokscope.collectors.exposure``.

        Args:
            batch: Inputs, a pair (inputs, targets) or a dict of tensors; what its tokens and its padding are
                tells ``grokscope.collectors.exposure.batch_size``.
            examples: Their number, where it is not the batch's first dimension.
            tokens: Their number without padding, where it is not what the batch tells.
            ids: Which examples these are, whole numbers on the CPU, for ``Measuring(unique="ids")``.

        >>> from grokscope.collectors.testing import MemorySink
        >>> with Tracker(experiment="example", sink=MemorySink()) as tracker:
        ...     tracker.seen(examples=8, tokens=8 * 128)
        ...     tracker.log(1, {"train/batch_loss": 0.5})
        ...     tracker.exposure.values(1)
        {'progress/examples': 8.0, 'progress/tokens': 1024.0}
        """
        if self._run.is_mine() and self._run.is_first:
            with contained(self._run.warnings.warn_once, "a training batch was not counted"):
                self.exposure.add(batch, examples=examples, tokens=tokens, ids=ids)

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
            more: The same as keywords: ``train=..., test=...``. A synonym is read as its split (``valid``,
                ``dev``, ``holdout``), any other name is a held-out set ``shift:<name>``, or one of the
                training data if it says so (``train_clean``). Data is a pair (inputs, targets), a longer
                tuple (what ``forward`` must get, targets, the rest), or a dict with ``labels`` (``label``,
                ``targets``, ``target``, ``y``) and inputs by the names that ``forward`` has; or an iterable
                of such batches, a dataset, or a function that makes one of these. Tensors, arrays, lists of
                numbers will do. What outputs and targets may be, and how much is read, tells ``Measuring``.

        Returns:
            Metric key -> value, of what could be measured.

        Raises:
            TrackerError: If the tracker has no model.
        """
        run, detector = self._run, self._detector
        evaluator = self._evaluator.of_run(run)
        if evaluator is None:
            return {}
        with run.failures.apart("the evaluation", step, failed="failed"):
            step = whole_step(step)
            values = evaluator.measure(step, {**(splits or {}), **more})
            self._timetable.measured(step)
            self._schedule.read(step, spent=values["collector/seconds"])
            values["collector/dropped"] = float(run.dropped)
            if detector is not None:
                values |= detector.update(step, values)
            run.log(step, values, is_measured=True)
            evaluator.spent(run.log_arrays(step, evaluator.arrays))
            return values
        return {}

    def close(self, status: str = "FINISHED") -> None:
        """End the run: wait at most five seconds for what is on its way, and say what is left.

        A ``with`` block closes as it ends, and a run that is still open when the program ends, as that does;
        the code of a ``SystemExit`` that was raised by hand, not by ``sys.exit``, cannot be known there. Of
        dozens of trackers that were dropped without it, the runs end as FINISHED before.

        Args:
            status: FINISHED, FAILED or KILLED, in any case. Another word is said on stderr, and the run ends
                as the error that is being handled says, or as FINISHED.
        """
        if not self._run.is_open or not self._run.is_mine():
            return
        self.unhook()
        if (last := self.exposure.last()) is not None:
            self.log(*last)
        self._run.end(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(status_of(error))

    def unhook(self) -> None:
        """Take the hooks off the optimizer; its steps are no longer measured, and all else goes on."""
        self._evaluator.unhook()
