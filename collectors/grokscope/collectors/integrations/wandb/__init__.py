"""A drop-in for code that calls ``wandb``: the same calls, kept by a tracker. W&B need not be installed.

Use: ``import grokscope.collectors.integrations.wandb as wandb``, the training code unchanged. ``project`` is
the MLflow experiment; ``group`` and what is in ``config`` before the first ``log`` are the run's params.
"""

import os
import uuid
from collections.abc import Mapping
from typing import Any

from grokscope.collectors.integrations.wandb.settings import Config as Config
from grokscope.collectors.integrations.wandb.settings import settings_of
from grokscope.collectors.integrations.wandb.tracked_run import WITHOUT_EFFECT, without_effect
from grokscope.collectors.integrations.wandb.tracked_run import Run as Run
from grokscope.collectors.recording.notebooks import shell
from grokscope.collectors.recording.ranks import NullSink
from grokscope.collectors.warning import Warnings

_LABELS = ("group", "job_type", "tags", "notes")
_TRACKING = ("store", "sink", "schedule", "measures", "measuring", "detector", "dense", "checkpoints")
# Where the run is, who owns it and how W&B sends it: nothing that changes what is kept here.
_NEEDLESS = frozenset(("entity", "dir", "settings", "save_code", "anonymous", "force", "allow_val_change"))
_MEDIA = frozenset(
    ("Image", "Table", "Histogram", "Video", "Audio", "Html", "Plotly", "Artifact", "Object3D")
)
_STAND_INS = _MEDIA | {"Settings"}
_warnings = Warnings()


class util:  # noqa: N801 - W&B's own word
    """What scripts take from ``wandb.util``."""

    @staticmethod
    def generate_id(length: int = 8) -> str:
        """Return a new id for a run."""
        return uuid.uuid4().hex[:length]


class _Module:
    """The run that ``wandb.log`` and ``wandb.config`` speak of."""

    run: Run | None = None


def init(  # noqa: PLR0913 - W&B's own
    project: str | None = None,
    *,
    name: str | None = None,
    config: object = None,
    id: str | None = None,  # noqa: A002 - W&B's own word
    resume: bool | str | None = None,
    reinit: bool | str | None = None,
    mode: str | None = None,
    **more: Any,
) -> Run:
    """Begin a run, or return the one that is open.

    Args:
        project: MLflow experiment; else ``WANDB_PROJECT``, else ``uncategorized``.
        name: The run's name; else ``WANDB_NAME``.
        config: Its settings: a mapping or a namespace.
        id: An earlier run's id, with ``resume`` to go on with it.
        resume: See ``id``; steps then have to be given, since the earlier ones are not known here.
        reinit: Whether a run that is open ends now; in a notebook it does anyway.
        mode: ``disabled`` keeps nothing.
        more: ``group``, ``job_type``, ``tags`` and ``notes`` become params; options of ``Tracker`` are taken;
            the rest of W&B's options has no effect.
    """
    if (running := _open()) is not None and not (reinit in {True, "finish_previous"} or _is_notebook()):
        return running
    finish()
    if "disabled" in {mode, os.environ.get("WANDB_MODE")}:
        more["sink"] = NullSink()
    labels = {label: more.pop(label) for label in _LABELS if more.get(label)}
    tracking = {option: more.pop(option) for option in _TRACKING if option in more}
    _say_needless(more.keys() - _NEEDLESS)
    if resume and id:
        _warnings.warn_once("a resumed run counts its rows from 0 again, over the earlier; give log a step=")
    _Module.run = Run(
        project=project or os.environ.get("WANDB_PROJECT") or "uncategorized",
        name=name or os.environ.get("WANDB_NAME"),
        config=labels | settings_of(config),
        run_id=id,
        **tracking,
    )
    return _Module.run


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    commit: bool | None = None,  # noqa: FBT001 - W&B's own
    **_: object,
) -> None:
    """Log a row in the run that is open; see ``Run.log``."""
    _open_run("log").log(data, step, commit)


def define_metric(name: str, step_metric: Any = None, **more: object) -> None:
    """Count metrics in another one; see ``Run.define_metric``."""
    _open_run("define_metric").define_metric(name, step_metric, **more)


def watch(models: Any, *more: object, **named: object) -> None:
    """Measure a model's weights; see ``Run.watch``."""
    _open_run("watch").watch(models, *more, **named)


def finish(exit_code: int | None = None, **_: object) -> None:
    """End the run that is open, if there is one; see ``Run.finish``."""
    if _Module.run is not None:
        _Module.run.finish(exit_code)


def __getattr__(name: str) -> Any:
    """Give ``run``, ``config`` and ``summary`` of the open run, and stand in for what has no effect."""
    if name == "run":
        return _open()
    if name in {"config", "summary"}:
        return getattr(_open_run(name), name)
    if name in _STAND_INS:
        return type(name, (_Nothing,), {})
    if name in {"plot", "AlertLevel"}:
        return _Nothing()
    if name in WITHOUT_EFFECT:
        return without_effect(f"wandb.{name}", _warnings)
    raise AttributeError(f"wandb.{name} is not offered here: only scalars, settings and summaries are kept")


class _Nothing:
    """Stands for an image, a table or a plot, which are not kept, and for settings, which have no effect."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "item":  # which numbers have
            raise AttributeError(name)
        return _nothing


def _nothing(*_: object, **__: object) -> None:
    pass


def _open() -> Run | None:
    run = _Module.run
    return None if run is None or run.is_finished else run


def _open_run(asked: str) -> Run:
    run = _open()
    if run is None:
        _warnings.warn_once(
            f"wandb.{asked} was called without a run, so one was begun; call wandb.init first"
        )
        run = init()
    return run


def _say_needless(names: set[str]) -> None:
    if names:
        _warnings.warn_once(f"of wandb.init's options {', '.join(sorted(names))} has no effect here")


def _is_notebook() -> bool:
    return type(shell()).__name__ == "ZMQInteractiveShell"  # W&B's own rule
