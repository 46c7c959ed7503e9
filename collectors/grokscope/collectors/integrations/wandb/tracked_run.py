"""A run as W&B's code holds it, kept by a tracker."""

import atexit
import threading
import uuid
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from grokscope.collectors.integrations.own_keys import OwnKeys
from grokscope.collectors.integrations.wandb.rows import Rows, StepMetrics
from grokscope.collectors.integrations.wandb.settings import Config, Summary
from grokscope.collectors.recording.given_run import waiting_run
from grokscope.collectors.recording.params import params_of
from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.recording.run_status import status_of
from grokscope.collectors.tracker import Tracker
from grokscope.collectors.warning import Warnings

WITHOUT_EFFECT = frozenset(
    ("login", "save", "alert", "log_artifact", "log_code", "log_model", "unwatch", "mark_preempting")
)
"""Functions of W&B, of the module or a run, that are called for what they do elsewhere."""
_LABELS = {"job_type": "", "notes": None, "tags": ()}
_OFFLINE = {"url": None, "entity": "", "offline": True, "sweep_id": None}


class Run:
    """What ``wandb.init`` returns.

    The tracker is opened by the first row that is logged, so that settings which are given before it are the
    run's params.

    Args:
        project: MLflow experiment.
        name: The run's name.
        config: Its settings.
        run_id: An earlier run's id, to go on with it.
        tracking: Other options of ``Tracker``.

    Attributes:
        is_finished: Whether it has ended.
    """

    def __init__(
        self,
        *,
        project: str,
        name: str | None,
        config: Mapping[str, Any],
        run_id: str | None,
        **tracking: Any,
    ) -> None:
        waiting = None if run_id else waiting_run()
        self._takes_sweeps = waiting is not None
        self.id = run_id or waiting or uuid.uuid4().hex
        self._is_new = run_id is None
        self.project = project
        self.name = name
        self.config = Config(config)
        self.summary = Summary()
        self._tracking = tracking
        self._tracker: Tracker | None = None
        self._model: Any = None
        self._params: dict[str, str] = {}
        self._own = OwnKeys()
        self._rows = Rows(self._write)
        self._steps = StepMetrics()
        self._warnings = Warnings(is_quiet=not is_first_process())
        self._lock = threading.RLock()
        self.is_finished = False

    @property
    def group(self) -> str | None:
        """The group that the run is one of."""
        return self.config.get("group")

    @property
    def path(self) -> str:
        """Project and id."""
        return f"{self.project}/{self.id}"

    @property
    def step(self) -> int:
        """The step of the next row."""
        return self._rows.step

    @property
    def dir(self) -> str:
        """A folder for files of the run, on this machine; nothing in it is sent anywhere."""
        folder = Path("wandb") / f"run-{self.id}"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder.resolve())

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,  # noqa: FBT001 - W&B's own
    ) -> None:
        """Log scalars; without a step each call is one further, as in W&B.

        Args:
            data: Name -> number or tensor of one element; in nested ones names are joined by a dot. Anything
                else (images, tables, text) is left out, which is said once.
            step: The row's step.
            commit: Whether the row is complete; by default where no step is given.
        """
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            self._warnings.warn_once(f"log takes a dictionary, got {type(data).__name__}; it is left out")
            return
        with self._lock:
            numbers = {name: _freed(value) for name, value in _flat(data) if self._is_number(name, value)}
            self._rows.add(numbers, step=step, commit=commit)

    def define_metric(self, name: str, step_metric: Any = None, *_: object, **__: object) -> None:
        """Count the metrics that ``name`` fits in another one, ``step_metric``: it is their step."""
        if step_metric:
            self._steps.define(name, str(getattr(step_metric, "name", step_metric)))

    def watch(self, models: Any, *_: object, **__: object) -> None:
        """Measure the weights of a model, or of several as one, at due rows, instead of W&B's histograms."""
        models = cast("list[Any]", models) if isinstance(models, list | tuple) else [models]
        if self._tracker is not None:
            self._warnings.warn_once("watch comes after the first log, and has no effect; call it before")
        elif models:
            self._model, self._own = _as_one(models), OwnKeys(families=("weights",))

    def finish(self, exit_code: int | None = None, **_: object) -> None:
        """Write what waits, and end the run: as FAILED where ``exit_code`` is not 0."""
        self._end("FAILED" if exit_code else "FINISHED")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(status_of(error))

    def _end(self, status: str) -> None:
        with self._lock:
            if self.is_finished:
                return
            self._complete()
            self._opened().close(status)
            self.is_finished = True
            atexit.unregister(self._complete)

    def _complete(self) -> None:
        self._rows.complete()
        own = {f"summary/{name}": value for name, value in self.summary.own.items()}
        self.summary.own.clear()
        if numbers := {name: value for name, value in own.items() if self._is_number(name, value)}:
            self._opened().log(max(0, self._rows.step - 1), numbers)
        if self._tracker is not None and params_of(self.config, warn=str) != self._params:
            self._warnings.warn_once(
                "settings that changed after the first log are not in the run's params; set them before"
            )

    def _write(self, step: int, values: Mapping[str, Any]) -> None:
        tracker = self._opened()
        self.summary.logged(values)
        for place, there in self._steps.placed(step, values).items():
            tracker.log(place, self._own.apart(there))
            if self._model is not None and tracker.due(place):
                tracker.evaluate(place)

    def _opened(self) -> Tracker:
        if self._tracker is None:
            self._params = params_of(self.config, warn=str)  # as text: arrays cannot be compared
            self._tracker = Tracker(
                self._model,
                experiment=self.project,
                name=self.name,
                config=self.config.as_dict(),
                run_id=None if self._takes_sweeps else self.id,
                **self._tracking,
            )
            self.id = self._tracker.run_id  # another may have taken the sweep's run meanwhile
            atexit.register(self._complete)  # before the tracker's own end, which was registered earlier
        return self._tracker

    def __getattr__(self, name: str) -> Any:
        """Give labels of ``init`` and what W&B says of a run offline; stand in for what has no effect."""
        if name in _LABELS:
            return self.config.get(name, _LABELS[name])
        if name in _OFFLINE:
            return _OFFLINE[name]
        if name == "resumed" and self._is_new:
            return False  # of a run with an id it is not known, and code would begin anew on False
        if name in WITHOUT_EFFECT:
            return without_effect(f"run.{name}", self._warnings)
        raise AttributeError(f"run.{name} is not offered here: only scalars, settings and summaries are kept")

    def _is_number(self, name: str, value: object) -> bool:
        is_scalar = isinstance(value, int | float) or hasattr(value, "item")
        if not is_scalar:
            got = type(value).__name__
            self._warnings.warn_once(
                f"{name!r} is no number ({got}) and is left out; only curves are kept here"
            )
        return is_scalar


def without_effect(name: str, warnings: Warnings) -> Callable[..., bool]:
    """Return what stands in for a function of W&B that has no effect here, and says so when it is called.

    >>> without_effect("wandb.save", Warnings(is_quiet=True))("model.pt")
    True
    """

    def stand_in(*_: object, **__: object) -> bool:
        warnings.warn_once(f"{name} has no effect here")
        return True

    return stand_in


def _as_one(models: "list[Any] | tuple[Any, ...]") -> Any:
    """Return one model that holds all of them."""
    if len(models) == 1:
        return models[0]
    from torch import nn  # noqa: PLC0415 - torch is optional

    return nn.ModuleList(models)


def _freed(value: Any) -> Any:
    """Return a tensor without its graph: a row that waits must not keep a step's activations alive."""
    return value.detach() if hasattr(value, "detach") else value


def _flat(data: Mapping[Any, Any], prefix: str = "") -> Generator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(cast("Mapping[Any, Any]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
