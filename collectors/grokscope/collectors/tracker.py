"""The tracker: what a training loop holds."""

import atexit
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from grokscope.collectors.complaints import Complaints, tell
from grokscope.collectors.endings import status_of, uncaught
from grokscope.collectors.intake import Intake
from grokscope.collectors.journal import Journal, open_journal
from grokscope.collectors.measuring import Measuring
from grokscope.collectors.params import Config, params_of
from grokscope.collectors.ranks import SilentJournal, is_first_process
from grokscope.collectors.run_ids import TrackerError, checked_run_id
from grokscope.collectors.schedule import Schedule, log_spaced
from grokscope.collectors.vigil import States, Vigil
from grokscope.schemas import OnlineDetector, Transition, store_uri
from grokscope.schemas.secrets import without_credentials

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grokscope.collectors.checkpoints import Checkpoints
    from grokscope.collectors.model_watch import Data, ModelWatch
    from grokscope.collectors.reading import Instrument, Read

_CLOSE_SECONDS = 5.0


class Tracker:
    """Logs a run's curves, norms and representation measures without slowing or stopping it.

    ``log`` costs microseconds: it appends one record to a file on the local disk; a separate process
    carries it into MLflow. Whatever goes wrong on the way is said once on stderr, counted in
    ``collector/dropped``, and never reaches the training loop. Where several processes train one model, make
    a tracker in each: the first logs, the others do nothing, or their part where the model is sharded.

    Args:
        model: Measured by ``evaluate``; without one the tracker only logs.
        optimizer: Adds gradient norm and update ratio, read at the steps that are due.
        experiment: MLflow experiment, created if need be.
        config: A ``RunDescription``, mapping, dataclass or namespace; logged as params.
        name: The run's name; else its group and seed, else its id.
        store: MLflow tracking URI, else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``.
        schedule: Which steps are ``due``; 32 a decade by default.
        measures: What ``evaluate`` reads besides the default measures: instruments, or functions of a
            ``Reading`` that return metric key -> scalar; see ``grokscope.collectors.instruments``.
        measuring: How ``evaluate`` reads the model; see ``Measuring``.
        run_id: ``tracker.run_id`` of an earlier process, to go on with that run.
        detector: Fed with every evaluation; what it says is logged as ``detector/<kind>``.
        dense: Steps that are due besides those of ``schedule`` while the detector suspects an event; 128 a
            decade by default.
        checkpoints: States around what the detector reports; see ``grokscope.collectors.checkpoints``.
        journal: Where records go, for tests; else a spool under ``GROKSCOPE_HOME``.

    Raises:
        TrackerError: If ``run_id`` cannot name a folder, or there are checkpoints but no model or detector.

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
        measures: "Sequence[Instrument | Read]" = (),
        measuring: Measuring | None = None,
        run_id: str | None = None,
        detector: OnlineDetector | None = None,
        dense: Schedule | None = None,
        checkpoints: "Checkpoints | None" = None,
        journal: Journal | None = None,
    ) -> None:
        self.run_id = checked_run_id(run_id) if run_id else uuid.uuid4().hex
        self.store = store_uri(store)
        self._schedule = schedule or log_spaced()
        self._is_first = is_first_process()
        self._complaints = Complaints(is_quiet=not self._is_first)
        self._pid = os.getpid()
        self._last_ms = 0
        self._step: int | None = None
        self._is_open = True
        states = _states(checkpoints, model, detector, run_id=self.run_id, experiment=experiment)
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
            self._step = step
            self._intake.take(step, self._now(), values)
        except Exception as error:  # noqa: BLE001 - nothing of ours may end a training run
            self._not_logged(step, error, values)

    def due(self, step: int) -> bool:
        """Say whether ``step`` is one to evaluate at.

        >>> from grokscope.collectors.testing import MemoryJournal
        >>> tracker = Tracker(experiment="example", journal=MemoryJournal())
        >>> [step for step in range(41, 60) if tracker.due(step)]
        [43, 46, 49, 53, 57]
        """
        self._step = step
        return self._is_due(step)

    def evaluate(
        self, step: int, splits: "Mapping[str, Data] | None" = None, /, **more: "Data"
    ) -> dict[str, float]:
        """Measure the model on each split and log everything, with one device synchronisation.

        The model, its gradients, its mode and the random state are as before when it returns.

        Args:
            step: Optimizer step.
            splits: Split name -> data, for names that are no identifiers (``shift:rotated``).
            more: The same as keywords: ``train=..., test=...``. Data is a pair (inputs, targets) of
                tensors or an iterable of such pairs; see ``grokscope.collectors.evaluation``.

        Returns:
            Metric key -> value; empty when a measure failed (said once on stderr).

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
        try:
            values = self._watch.measure(step, {**(splits or {}), **more})
            self._step = step
            values["collector/dropped"] = float(self._journal.dropped + self._complaints.dropped)
            if self._vigil is not None:
                values |= self._vigil.update(step, values)
            self._intake.take(step, self._now(), values)
        except Exception as error:  # noqa: BLE001 - nothing of ours may end a training run
            self._complaints.say(f"the evaluation at step {step!r} failed ({error!r})")
            return {}
        return values

    def close(self, status: str = "FINISHED") -> None:
        """End the run: wait at most five seconds for what is on its way, and say what is left.

        Args:
            status: FINISHED, FAILED or KILLED.
        """
        if not self._is_open or not self._is_mine():
            return
        self._is_open = False
        atexit.unregister(self._close_at_exit)
        try:
            self._flush()
            self._journal.end(status, self._now())
            waiting = self._journal.wait_shipped(_CLOSE_SECONDS)
        except Exception as error:  # noqa: BLE001 - nothing of ours may end a training run
            self._complaints.say(f"the run was not closed ({error!r})")
            return
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
        params = params_of(config)
        return open_journal(self.run_id, store=self.store, experiment=experiment, name=name, params=params)

    def _watching(
        self, model: "nn.Module", optimizer: "Optimizer | None", **options: Any
    ) -> "ModelWatch | None":
        """Return the model's watch; ``None`` where the first process measures the whole model alone."""
        from grokscope.collectors.measure.shards import is_sharded  # noqa: PLC0415 - torch is optional
        from grokscope.collectors.model_watch import ModelWatch  # noqa: PLC0415

        if not self._is_first and not is_sharded(model):
            return None
        return ModelWatch(model, optimizer, is_due=self._is_next_due, say=self._complaints.say, **options)

    def _close_at_exit(self) -> None:
        error = uncaught()
        self.close(status_of(None if error is self._earlier_error else error))

    def _flush(self) -> None:
        """Hand over what is still on its way to the journal; a failure here must not leave the run open."""
        try:
            self._intake.flush()
            if self._watch is not None:
                self._watch.close()
            if dropped := self._journal.dropped + self._complaints.dropped:
                self._intake.take(self._step or 0, self._now(), {"collector/dropped": float(dropped)})
        except Exception as error:  # noqa: BLE001 - nothing of ours may end a training run
            self._complaints.say(f"the last values were not logged ({error!r})")

    def _not_logged(self, step: object, error: Exception, values: Mapping[str, Any]) -> None:
        try:
            count = len(values) if hasattr(values, "__len__") else 0
            self._complaints.say(f"step {step!r} was not logged ({error!r})", dropped=count)
        except Exception:  # noqa: BLE001 - a step or an error that cannot even be shown
            self._complaints.say("a step was not logged, and cannot be shown")

    def _is_next_due(self) -> bool:
        """Say whether the step after the last one seen is due (asked inside ``optimizer.step``)."""
        return self._step is None or self._is_due(self._step + 1)

    def _is_due(self, step: int) -> bool:
        return self._schedule(step) or (self._vigil is not None and self._vigil.is_due(step))

    def _is_mine(self) -> bool:
        # A forked child (a DataLoader's worker) must not write into its parent's run.
        return os.getpid() == self._pid

    def _now(self) -> int:
        # A clock set back must not reorder points: the time is also what tells the last of two attempts.
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms


def _states(
    checkpoints: "Checkpoints | None",
    model: "nn.Module | None",
    detector: OnlineDetector | None,
    **about: str,
) -> States | None:
    if checkpoints is None:
        return None
    if model is None or detector is None:
        raise TrackerError(
            "checkpoints keep the states of a model around what a detector reports, and this tracker has "
            f"no {'model' if model is None else 'detector'}; write Tracker(model, ..., detector=...)"
        )
    return checkpoints.of(model, **about)
