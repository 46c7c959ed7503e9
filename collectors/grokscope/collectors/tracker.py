"""The tracker: what a training loop holds."""

import atexit
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from grokscope.collectors.arguments import (
    check_model,
    check_names,
    check_parts,
    checked_store,
    states_of,
)
from grokscope.collectors.complaints import Complaints, contained, tell
from grokscope.collectors.detecting.runner import Vigil
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.schedule import Schedule, Timetable, log_spaced
from grokscope.collectors.interrupts import is_interrupt, shown
from grokscope.collectors.recording.params import Config, params_of
from grokscope.collectors.recording.ranks import SilentJournal, is_first_process
from grokscope.collectors.recording.run_ids import TrackerError, checked_run_id
from grokscope.collectors.recording.run_status import EXITS, end_of_program, known_status, status_of, uncaught
from grokscope.collectors.recording.scalar_buffer import Intake
from grokscope.collectors.recording.sink import Journal, open_journal
from grokscope.schemas import OnlineDetector, Transition
from grokscope.schemas.secrets import without_credentials

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grokscope.collectors.detecting.checkpoints import Checkpoints
    from grokscope.collectors.evaluating.model_evaluator import Data, ModelWatch
    from grokscope.collectors.measures.instrument import Instrument, MeasureFn

_CLOSE_SECONDS = 5.0


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
            ``StepContext`` that return metric key -> scalar; see ``grokscope.collectors.measures``. One that
            has a default's name takes its place.
        measuring: How ``evaluate`` reads the model; see ``Measuring``.
        run_id: ``tracker.run_id`` of an earlier process, to go on with that run.
        detector: Fed with every evaluation; what it says is logged as ``detector/<kind>``.
        dense: Steps that are due besides those of ``schedule`` while the detector suspects an event; 128 a
            decade by default.
        checkpoints: States around what the detector reports; see
            ``grokscope.collectors.detecting.checkpoints``.
        journal: Where records go, for tests; else a spool under ``GROKSCOPE_HOME``.

    Raises:
        TrackerError: If an argument is not what it must be; a config that cannot be read is only said.
        ValueError: If the optimizer holds no parameter of the model.

    >>> from grokscope.collectors.testing import MemoryJournal
    >>> journal = MemoryJournal()
    >>> with Tracker(experiment="example", journal=journal) as tracker:
    ...     for step in range(3):
    ...         tracker.log(step, {"train/loss": 1.0 / (1 + step)})
    >>> journal.rows()
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
        journal: Journal | None = None,
    ) -> None:
        check_names(experiment, name)
        check_parts(schedule=schedule, dense=dense, measures=measures, measuring=measuring, detector=detector)
        if model is not None:
            check_model(model, optimizer)
        self.run_id = uuid.uuid4().hex if run_id is None else checked_run_id(run_id)
        self.store = checked_store(store)
        self._schedule = schedule or log_spaced()
        self._timetable = Timetable(self.due)
        self._is_first = is_first_process()
        self._complaints = Complaints(is_quiet=not self._is_first)
        self._pid = os.getpid()
        self._last_ms = 0
        self._is_open = True
        states = states_of(checkpoints, model, detector, run_id=self.run_id, experiment=experiment)
        self._vigil = None
        if detector is not None:
            self._vigil = Vigil(detector, dense=dense, states=states, say=self._complaints.say)
        self._has_model = model is not None
        self._watch = None
        if model is not None:
            self._watch = self._watching(model, optimizer, measures=measures, how=measuring or Measuring())
        self._journal = journal or self._opened(experiment, name, config)
        self._intake = Intake(self._journal, self._complaints)
        self._earlier_error = uncaught()
        EXITS.watch()
        atexit.register(self._close_at_exit)

    @property
    def events(self) -> tuple[Transition, ...]:
        """What the detector has said so far, in the order it was said."""
        return () if self._vigil is None else tuple(self._vigil.events)

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Log scalars of one step: numbers, or tensors of one element on any device.

        Never waits for a device: a tensor on an accelerator is written once it has arrived. Anything that
        is not a number is left out with one warning; NaN and ±Inf are kept.

        Args:
            step: Optimizer step, an integer of at most 64 bits; may go back after a resume.
            values: Metric key -> value; keys of your own are welcome.
        """
        if not self._is_mine():
            return
        if not self._is_open:
            self._not_logged(step, TrackerError("the run was closed before"), values)
            return
        try:
            self._intake.take(step, self._now(), values)
            self._timetable.logged(step)
        except Exception as error:
            if is_interrupt(error):
                raise
            self._not_logged(step, error, values)

    def due(self, step: int) -> bool:
        """Say whether ``step`` is one to evaluate at; asking changes nothing, in whatever order.

        >>> from grokscope.collectors.testing import MemoryJournal
        >>> tracker = Tracker(experiment="example", journal=MemoryJournal())
        >>> [step for step in range(41, 60) if tracker.due(step)]
        [43, 46, 49, 53, 57]
        """
        return self._schedule(step) or (self._vigil is not None and self._vigil.is_due(step))

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
                tensors or an iterable of such pairs; see ``grokscope.collectors.evaluating.evaluation``.

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
        if self._watch is None or not self._is_mine():
            return {}
        with contained(self._complaints.say, f"the evaluation at step {shown(step)} failed"):
            values = self._watch.measure(step, {**(splits or {}), **more})
            self._timetable.measured(step)
            values["collector/dropped"] = float(self._journal.dropped + self._complaints.dropped)
            if self._vigil is not None:
                values |= self._vigil.update(step, values)
            self._intake.take(step, self._now(), values)
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
        if not self._is_open or not self._is_mine():
            return
        waiting = 0
        with contained(self._complaints.say, "the run was not closed"):
            self._end(status)
            waiting = self._journal.wait_shipped(_CLOSE_SECONDS)
        if waiting:
            tell(
                f"{waiting} points or more have not reached {without_credentials(self.store)} yet; they are "
                "safe on disk. If the store stays away, run 'grokscope sync' later."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(status_of(error))

    def _opened(self, experiment: str, name: str | None, config: Config) -> Journal:
        if not self._is_first:
            return SilentJournal()
        params: dict[str, str] = {}
        must = "must be a RunDescription, mapping, dataclass or namespace that can be read"
        with contained(self._complaints.say, f"the config {must} to be logged, got {type(config).__name__}"):
            params = params_of(config)
        return open_journal(self.run_id, store=self.store, experiment=experiment, name=name, params=params)

    def _watching(
        self, model: "nn.Module", optimizer: "Optimizer | None", **options: Any
    ) -> "ModelWatch | None":
        """Return the model's watch; ``None`` where the first process measures the whole model alone."""
        from grokscope.collectors.evaluating.model_evaluator import ModelWatch  # noqa: PLC0415
        from grokscope.collectors.tensors.shards import is_sharded  # noqa: PLC0415 - torch is optional

        if not self._is_first and not is_sharded(model):
            return None
        return ModelWatch(
            model, optimizer, is_due=self._timetable.is_next_due, say=self._complaints.say, **options
        )

    def _close_at_exit(self) -> None:
        if self._is_mine():
            say = tell if self._is_first else self._complaints.say  # which is quiet there
            self.close(end_of_program(self._earlier_error, say=say))

    def _end(self, status: str) -> None:
        """Write the end; what breaks this off leaves the tracker open, to be closed again."""
        self._flush()
        if self._is_open:  # a signal's handler may have closed it meanwhile
            self._journal.end(known_status(status, say=self._complaints.say), self._now())
            self._is_open = False
            EXITS.leave()
            atexit.unregister(self._close_at_exit)

    def _flush(self) -> None:
        """Hand over what is still on its way to the journal; a failure here must not leave the run open."""
        with contained(self._complaints.say, "the last values were not logged"):
            self._intake.flush()
            if self._watch is not None:
                self._watch.close()
            if dropped := self._journal.dropped + self._complaints.dropped:
                last = self._timetable.last or 0
                self._intake.take(last, self._now(), {"collector/dropped": float(dropped)})

    def _not_logged(self, step: object, error: Exception, values: Mapping[str, Any]) -> None:
        try:
            count = len(values) if hasattr(values, "__len__") else 0
            self._complaints.say(f"step {step!r} was not logged ({error!r})", dropped=count)
        except Exception as another:  # a step or an error that cannot even be shown
            if is_interrupt(another):
                raise
            self._complaints.say("a step was not logged, and cannot be shown")

    def _is_mine(self) -> bool:
        # A forked child (a DataLoader's worker) must not write into its parent's run.
        return os.getpid() == self._pid

    def _now(self) -> int:
        # A clock set back must not reorder points: the time is also what tells the last of two attempts.
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms
