"""Which run a tracker writes: one that it is given, a sweep's that waits for it, or one of its own."""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from grokscope.collectors.recording.params import params_of
from grokscope.collectors.recording.run_ids import checked_run_id

RUN_ID = "GROKSCOPE_RUN_ID"
PARAMS = "GROKSCOPE_SWEEP_PARAMS"
EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
STORE = "MLFLOW_TRACKING_URI"
_GROUP = "group"


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
    return os.environ.get(RUN_ID) or None


def run_for(run_id: object, *, experiment: str, store: object) -> GivenRun:
    """Return the run that a tracker writes.

    Without a ``run_id`` this looks for a sweep's: a job of ``grokscope sweep`` finds ``GROKSCOPE_RUN_ID`` in
    its environment. The first tracker takes it, with the sweep's experiment, store and params in place of
    those that the code names, and takes the variable out of the environment: a second tracker, in this
    process or in one that it starts from then on, writes a run of its own.

    Args:
        run_id: What the tracker was given.
        experiment: What the tracker was given.
        store: What the tracker was given.

    Raises:
        TrackerError: If a run id is none.

    >>> run_for("run-a", experiment="e", store=None)
    GivenRun(run_id='run-a', experiment='e', store=None, params={})
    """
    if run_id is None and (ours := waiting_run()):
        del os.environ[RUN_ID]
        return GivenRun(
            run_id=checked_run_id(ours),
            experiment=os.environ.get(EXPERIMENT) or experiment,
            store=os.environ.get(STORE) or store,
            params=_params(os.environ.pop(PARAMS, "{}")),
        )
    own = uuid.uuid4().hex if run_id is None else checked_run_id(run_id)
    return GivenRun(run_id=own, experiment=experiment, store=store)


def _params(text: str) -> dict[str, str]:
    try:
        told: object = json.loads(text)
    except ValueError:
        return {}
    return params_of(cast("dict[str, object]", told) if isinstance(told, dict) else {}, warn=str)
