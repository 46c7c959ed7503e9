"""A drop-in for code that already calls ``mlflow.log_metrics``: the same calls, through the spool."""

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from grokscope.collectors.recording.run_status import status_of
from grokscope.collectors.tracker import Tracker
from grokscope.schemas.tags import CLIENT_RUN_ID


@contextmanager
def spooled(mlflow: ModuleType, **tracking: Any) -> Generator[None]:
    """Send what ``mlflow.log_metric`` and ``mlflow.log_metrics`` are given through a spool.

    Inside the block a call costs microseconds, survives a store that is away, and ends in the very run that
    is active in MLflow at the time; params, tags, artifacts and models go their usual way. When MLflow ends
    a run, its points are delivered first. What is asked for another run (``run_id=...``), with a
    ``timestamp``, ``dataset`` or ``model_id`` of its own, or at the step of a logged model, which MLflow
    links to that model, is passed on to MLflow as it is.

    Args:
        mlflow: The module, as the program imports it; this package does not.
        tracking: Options of ``Tracker``.

    Returns:
        MLflow's functions are back in place when the block ends, and open spools are closed.

    Use: ``with spooled(mlflow): train()``, the training code unchanged.
    """
    drop_in = _DropIn(mlflow, tracking)
    with ExitStack() as stack:
        stack.push(drop_in.leave)
        for name, original in drop_in.originals.items():
            # ``with mlflow.start_run()`` ends a run by the function where it is defined.
            for module in (mlflow, sys.modules[original.__module__]):
                stack.callback(setattr, module, name, original)
                setattr(module, name, getattr(drop_in, name))
        yield


class _DropIn:
    """What stands in MLflow's place; holds a tracker for each run that is open."""

    def __init__(self, mlflow: ModuleType, tracking: Mapping[str, Any]) -> None:
        names = ("log_metric", "log_metrics", "end_run")
        self.originals: dict[str, Callable[..., Any]] = {name: getattr(mlflow, name) for name in names}
        self._mlflow = mlflow
        self._tracking = dict(tracking)
        self._trackers: dict[str, Tracker] = {}

    def log_metric(
        self,
        key: str,
        value: float,
        step: int | None = None,
        synchronous: bool | None = None,  # noqa: FBT001 - MLflow's own signature
        *rest: Any,
        **more: Any,
    ) -> Any:
        if self._is_special(step, (*rest, *more.values())):
            return self.originals["log_metric"](key, value, step, synchronous, *rest, **more)
        return self._log({key: value}, step, synchronous=synchronous)

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        step: int | None = None,
        synchronous: bool | None = None,  # noqa: FBT001
        *rest: Any,
        **more: Any,
    ) -> Any:
        if self._is_special(step, (*rest, *more.values())):
            return self.originals["log_metrics"](metrics, step, synchronous, *rest, **more)
        return self._log(metrics, step, synchronous=synchronous)

    def end_run(self, status: str = "FINISHED") -> None:
        run = self._mlflow.active_run()
        if run is not None and (tracker := self._trackers.pop(run.info.run_id, None)):
            tracker.close(status)
        self.originals["end_run"](status)

    def leave(self, _: object, error: BaseException | None, __: object) -> None:
        while self._trackers:
            self._trackers.popitem()[1].close(status_of(error))

    def _log(self, metrics: Mapping[str, float], step: int | None, *, synchronous: bool | None) -> Any:
        # As MLflow does: without a run one is started, and the step is 0 where none is given.
        run = self._mlflow.active_run() or self._mlflow.start_run()
        tracker = self._trackers.get(run.info.run_id)
        if tracker is None:
            tracker = self._trackers[run.info.run_id] = self._open(run)
        tracker.log(step or 0, metrics)
        if synchronous is False:  # there is nothing to wait for, but the caller may want to
            return self._mlflow.utils.async_logging.run_operations.RunOperations([])
        return None

    def _open(self, run: Any) -> Tracker:
        # The shipper finds a run by this tag: with it, ours is MLflow's own.
        own = f"mlflow-{run.info.run_id}"
        self._mlflow.set_tag(CLIENT_RUN_ID, own)
        experiment = self._mlflow.get_experiment(run.info.experiment_id)
        options = {"store": self._mlflow.get_tracking_uri(), **self._tracking}
        name = run.info.run_name or time.strftime("%H:%M")
        return Tracker(experiment=experiment.name, name=name, run_id=own, **options)

    def _is_special(self, step: int | None, asked: tuple[Any, ...]) -> bool:
        """Say whether a call names a run, a time or a model, or is made at the step of a logged model."""
        if any(value is not None for value in asked):
            return True
        outputs = getattr(self._mlflow.active_run(), "outputs", None)
        return outputs is not None and any(model.step == (step or 0) for model in outputs.model_outputs)
