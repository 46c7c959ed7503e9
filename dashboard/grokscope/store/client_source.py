"""Any store that MLflow can open, through its public client: slow and always right."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.client import open_client
from grokscope.store.client_errors import explained
from grokscope.store.frames import points_from_rows
from grokscope.store.records import RunRecord

_PAGE = 1000


class ClientSource:
    """A ``Source`` on ``mlflow.MlflowClient``. It cannot read a part of a history, so it reads all of it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        with explained(uri):
            mlflow, self._client = open_client(uri)
            self._all: Any = mlflow.entities.ViewType.ALL
            self._active: Any = mlflow.entities.ViewType.ACTIVE_ONLY

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments."""
        with explained(self._uri):
            found = _pages(self._client.search_experiments, max_results=_PAGE)
            return [(str(e.experiment_id), str(e.name)) for e in found]

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the active runs of the experiments; or, deleted ones too, those with ``run_ids``."""
        if not experiment_ids:
            return []
        with explained(self._uri):
            found = _pages(
                self._client.search_runs,
                experiment_ids=list(experiment_ids),
                filter_string="" if run_ids is None else id_filter(run_ids),
                run_view_type=self._active if run_ids is None else self._all,
                max_results=_PAGE,
            )
            return [_record(run) for run in found]

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return the whole history of one metric for each run."""
        with explained(self._uri):
            rows = (
                (run_id, key, m.step, m.timestamp, m.value, 0)
                for run_id in steps
                for m in self._client.get_metric_history(run_id, key)
            )
            return pl.concat([empty_points(), points_from_rows(rows)])


def id_filter(run_ids: Sequence[str]) -> str:
    """Return MLflow's search expression for runs by id; a quote, which no id has, is left out.

    >>> id_filter(["a", "b'"])
    "attributes.run_id IN ('a', 'b')"
    """
    quoted = ", ".join("'" + run_id.replace("'", "") + "'" for run_id in run_ids)
    return f"attributes.run_id IN ({quoted})"


def _pages(ask: Any, **arguments: Any) -> list[Any]:
    found: list[Any] = []
    token: str | None = None
    while True:
        page = ask(page_token=token, **arguments)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _record(run: Any) -> RunRecord:
    info = run.info
    return RunRecord(
        run_id=info.run_id,
        name=info.run_name or "",
        experiment_id=str(info.experiment_id),
        status=info.status,
        start_ms=info.start_time,
        end_ms=info.end_time,
        is_active=info.lifecycle_stage == "active",
        params=dict(run.data.params),
        tags=dict(run.data.tags),
        # The entity's own mapping has values only; its message form is public and has steps and times.
        latest={m.key: (m.step, m.timestamp, str(m.value)) for m in run.data.to_proto().metrics},
    )
