"""Which run a tracker writes: one that it is given, a sweep's that waits for it, or one of its own."""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from grokscope.collectors.recording.params import params_of
from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.recording.run_ids import checked_run_id
from grokscope.schemas import NoHomeError, home
from grokscope.schemas.files.private import opened, private_folder
from grokscope.schemas.secrets import without_credentials

RUN_ID = "GROKSCOPE_RUN_ID"
PARAMS = "GROKSCOPE_SWEEP_PARAMS"
EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
STORE = "MLFLOW_TRACKING_URI"
_GROUP = "group"
TOKEN = "GROKSCOPE_SWEEP_TOKEN"  # noqa: S105 - names a file
_FOLDER, _TOKENS = "sweeps", "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRun:
    """A run and where it goes.

    Attributes:
        run_id: Its id on the tracker's side.
        experiment: Name of the MLflow experiment.
        store: MLflow tracking URI; ``None`` for the default.
        params: What a sweep says of it.
    """

    run_id: str
    experiment: str
    store: object
    params: Mapping[str, str] = field(default_factory=dict[str, str])

    def params_over(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the params of the run: those of the code stand above the sweep's, except the group.

        >>> told = GivenRun(run_id="a", experiment="e", store=None, params={"lr": "1", "group": "lr=1"})
        >>> told.params_over({"lr": "1.0", "group": "baseline"})
        {'lr': '1.0', 'group': 'lr=1'}
        """
        # A group that the code names would be the same in all runs of the sweep.
        return {**self.params, **own, **{key: self.params[key] for key in (_GROUP,) if key in self.params}}


def waiting_run() -> str | None:
    """Return the id of the run that a sweep has set out for this process, until a tracker has taken it.

    >>> waiting_run() is None
    True
    """
    token = os.environ.get(TOKEN)
    is_gone = token and _tokens().is_dir() and not (_tokens() / Path(token).name).exists()
    return None if is_gone else os.environ.get(RUN_ID) or None


def set_out(run_id: str, *, store: str) -> str:
    """Set a run out for the first tracker that looks for it; return its token.

    A token is a file that is there until a tracker takes it. So of several processes that a job starts at
    once, one writes the run, and none does after the job's end that has inherited its environment.

    Args:
        run_id: The run.
        store: MLflow tracking URI.

    Raises:
        OSError: If the token cannot be made.
    """
    folder = private_folder(private_folder(home(), _FOLDER), _TOKENS)
    token = _token_of(run_id, store)
    os.close(opened(folder / token, os.O_WRONLY | os.O_CREAT))
    return token


def take_back(run_id: str, *, store: str) -> None:
    """Let nobody take a run any more that was set out."""
    with suppress(OSError, NoHomeError):
        (_tokens() / _token_of(run_id, store)).unlink()


def run_for(run_id: object, *, experiment: str, store: object) -> GivenRun:
    """Return the run that a tracker writes.

    Without a ``run_id`` this looks for a sweep's: a job of ``grokscope sweep`` finds ``GROKSCOPE_RUN_ID`` in
    its environment. The first tracker takes it, with the sweep's experiment, store and params in place of
    those that the code names, and takes the variable out of the environment: a second tracker, in this
    process or in another of the job, writes a run of its own, and so does one that has inherited the
    environment of a job that has ended.

    Args:
        run_id: What the tracker was given.
        experiment: What the tracker was given.
        store: What the tracker was given.

    Raises:
        TrackerError: If a run id is none.

    >>> run_for("run-a", experiment="e", store=None)
    GivenRun(run_id='run-a', experiment='e', store=None, params={})
    """
    ours = os.environ.pop(RUN_ID, "") if run_id is None else ""
    if ours and _take(os.environ.pop(TOKEN, "")):
        return GivenRun(
            run_id=checked_run_id(ours),
            experiment=os.environ.get(EXPERIMENT) or experiment,
            store=os.environ.get(STORE) or store,
            params=_params(os.environ.pop(PARAMS, "{}")),
        )
    own = uuid.uuid4().hex if run_id is None else checked_run_id(run_id)
    return GivenRun(run_id=own, experiment=experiment, store=store)


def _take(token: str) -> bool:
    """Take a token; say whether it was there. The other processes of one training write nothing anyway."""
    if not token or not is_first_process():
        return True
    try:
        (_tokens() / Path(token).name).unlink()
    except FileNotFoundError:
        # Without the folder this is a machine, or a home, that the sweep has set nothing out on.
        return not _tokens().is_dir()
    except (OSError, NoHomeError):  # a disk that refuses does not cost the run its tracker
        return True
    return True


def _tokens() -> Path:
    return home() / _FOLDER / _TOKENS


def _token_of(run_id: str, store: str) -> str:
    key = hashlib.sha256(without_credentials(store).encode()).hexdigest()[:16]
    return f"{run_id}.{key}"


def _params(text: str) -> dict[str, str]:
    try:
        told: object = json.loads(text)
    except ValueError:
        return {}
    return params_of(cast("dict[str, object]", told) if isinstance(told, dict) else {}, warn=str)
