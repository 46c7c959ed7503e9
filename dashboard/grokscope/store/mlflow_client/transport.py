"""Any store that MLflow can open, through its public client: slow and always right."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl

from grokscope.schemas import empty_points
from grokscope.schemas.secrets import redacted
from grokscope.store.arrays.artifacts import Artifacts
from grokscope.store.arrays.places import PlacedArtifacts
from grokscope.store.deadline import Deadline, paged
from grokscope.store.findings import Finding
from grokscope.store.frames import points_from_rows
from grokscope.store.mlflow_client.client import experiment_named, open_client
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.remote.records import RunRecord
from grokscope.store.versions import database_version

CALL_S = 60.0
"""Longest time for one call of the client: a page of a listing, or a history (a million points: 31 s)."""

_PAGE = 1000
_Entry = TypeVar("_Entry")
_Answer = TypeVar("_Answer")


class ClientTransport:
    """A ``Transport`` on ``mlflow.MlflowClient``. It cannot read a part of a history: it reads all."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._shown = redacted(uri)
        self._deadline = Deadline(self._shown)
        with explained(uri):
            mlflow, self._client = self._deadline.ask(
                lambda _: open_client(uri), silence_s=CALL_S, whole_s=CALL_S
            )
            self._all: Any = mlflow.entities.ViewType.ALL
            self._active: Any = mlflow.entities.ViewType.ACTIVE_ONLY
        self.artifacts: Artifacts = PlacedArtifacts(uri, self._place)

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments."""
        return self._listed("experiments", _experiment, self._client.search_experiments)

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the active runs of the experiments; or, deleted ones too, those with ``run_ids``."""
        if not experiment_ids:
            return []
        found = self._listed(
            "runs",
            _record,
            self._client.search_runs,
            experiment_ids=list(experiment_ids),
            filter_string="" if run_ids is None else id_filter(run_ids),
            run_view_type=self._active if run_ids is None else self._all,
        )
        return list({record.run_id: record for record in found}.values())

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return the whole history of one metric for each run."""
        return pl.concat([empty_points(), *(self._ask(self._history, run_id, key) for run_id in steps)])

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an active experiment."""
        return self._ask(lambda: dict(experiment_named(self._client, experiment).tags))

    def version(self) -> Finding:
        """Return of which MLflow the database is."""
        with explained(self._uri):
            return database_version(self._uri)

    def _place(self, run_id: str) -> str:
        return str(self._ask(self._client.get_run, run_id).info.artifact_uri or "")

    def _history(self, run_id: str, key: str) -> pl.DataFrame:
        found = self._client.get_metric_history(run_id, key)
        return points_from_rows((run_id, key, m.step, m.timestamp, m.value, 0) for m in found)

    def _listed(
        self, name: str, read: Callable[[Any], _Entry], listing: Callable[..., Any], **arguments: Any
    ) -> list[_Entry]:
        def page(token: str | None) -> tuple[list[_Entry], str]:
            found = listing(page_token=token, max_results=_PAGE, **arguments)
            return [read(entry) for entry in found], found.token or ""

        pages = paged(f"{self._shown}: the list of {name}", lambda token: self._ask(page, token))
        return [entry for entries in pages for entry in entries]

    def _ask(self, question: Callable[..., _Answer], *arguments: Any) -> _Answer:
        """Return the answer to one call of the client, which by itself tries again for many minutes."""

        def asked(_sign: Callable[[], None]) -> _Answer:
            with explained(self._uri):
                return question(*arguments)

        return self._deadline.ask(asked, silence_s=CALL_S, whole_s=CALL_S)


def id_filter(run_ids: Sequence[str]) -> str:
    """Return MLflow's search expression for runs by id; a quote, which no id has, is left out.

    >>> id_filter(["a", "b'"])
    "attributes.run_id IN ('a', 'b')"
    """
    quoted = ", ".join("'" + run_id.replace("'", "") + "'" for run_id in run_ids)
    return f"attributes.run_id IN ({quoted})"


def _experiment(found: Any) -> tuple[str, str]:
    return str(found.experiment_id), str(found.name)


def _record(run: Any) -> RunRecord:
    info = run.info
    return RunRecord(
        run_id=info.run_id,
        name=info.run_name or "",
        experiment_id=str(info.experiment_id),
        status=info.status or "",
        start_ms=info.start_time,
        end_ms=info.end_time,
        is_active=info.lifecycle_stage == "active",
        params={key: value or "" for key, value in run.data.params.items()},
        tags={key: value or "" for key, value in run.data.tags.items()},
        # The entity's own mapping has values only; its message form is public and has steps and times.
        latest={m.key: (m.step, m.timestamp, str(m.value)) for m in run.data.to_proto().metrics},
    )
