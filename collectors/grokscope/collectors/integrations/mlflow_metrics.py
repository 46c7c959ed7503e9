"""A drop-in for code that already calls ``mlflow.log_metrics``: the same calls, through the spool."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from grokscope.collectors.tracker import Tracker
from grokscope.schemas.tags import CLIENT_RUN_ID


@contextmanager
def spooled(mlflow: ModuleType, **tracking: Any) -> Generator[None]:
    """Send what ``mlflow.log_metric`` and ``mlflow.log_metrics`` are given through a spool.

    Inside the block a call costs microseconds, survives a store that is away, and ends in the very run that
    is active in MLflow at the time; params, tags, artifacts and models go their usual way. When MLflow ends
    the run, its points are delivered first. What is asked for another run (``run_id=...``), or with a
    ``timestamp``, ``dataset`` or ``model_id`` of its own, is passed on to MLflow as it is.

    Args:
        mlflow: The module, as the program imports it; this package does not.
        tracking: Options of ``Tracker``.

    Returns:
        MLflow's functions are back in place when the block ends, and an open spool is closed.

    Use: ``with spooled(mlflow): train()``, the training code unchanged.
    """
    drop_in = _DropIn(mlflow, tracking)
    originals = {name: getattr(mlflow, name) for name in ("log_metric", "log_metrics", "end_run")}
    drop_in.originals = originals
    for name in originals:
        setattr(mlflow, name, getattr(drop_in, name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(mlflow, name, original)
        drop_in.close()


class _DropIn:
    """What stands in MLflow's place; holds the tracker of the active run."""

    def __init__(self, mlflow: ModuleType, tracking: Mapping[str, Any]) -> None:
        self.originals: dict[str, Callable[..., Any]] = {}
        self._mlflow = mlflow
        self._tracking = dict(tracking)
        self._tracker: Tracker | None = None
        self._run: str | None = None

    def log_metric(self, key: str, value: float, step: int | None = None, *rest: Any, **more: Any) -> Any:
        if _is_special(more):
            return self.originals["log_metric"](key, value, step, *rest, **more)
        return self.log_metrics({key: value}, step)

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None, *rest: Any, **more: Any
    ) -> Any:
        if _is_special(more):
            return self.originals["log_metrics"](metrics, step, *rest, **more)
        self._of_active_run().log(0 if step is None else step, metrics)  # 0 is MLflow's own default
        return None

    def end_run(self, status: str = "FINISHED") -> None:
        self.close(status)
        self.originals["end_run"](status)

    def close(self, status: str = "FINISHED") -> None:
        tracker, self._tracker, self._run = self._tracker, None, None
        if tracker is not None:
            tracker.close(status)

    def _of_active_run(self) -> Tracker:
        """Return the tracker of MLflow's active run, opened at the first call as MLflow itself does."""
        run = self._mlflow.active_run() or self._mlflow.start_run()
        if self._tracker is None or self._run != run.info.run_id:
            self.close()
            self._run = run.info.run_id
            self._tracker = self._open(run)
        return self._tracker

    def _open(self, run: Any) -> Tracker:
        # The shipper finds a run by this tag: with it, ours is MLflow's own.
        own = f"mlflow-{run.info.run_id}"
        self._mlflow.set_tag(CLIENT_RUN_ID, own)
        experiment = self._mlflow.get_experiment(run.info.experiment_id)
        options = {"store": self._mlflow.get_tracking_uri(), **self._tracking}
        name = run.info.run_name or time.strftime("%H:%M")
        return Tracker(experiment=experiment.name, name=name, run_id=own, **options)


def _is_special(options: Mapping[str, Any]) -> bool:
    # Whether MLflow was to wait is moot; everything else names a run, a time or a model of its own.
    return any(value is not None for name, value in options.items() if name != "synchronous")
