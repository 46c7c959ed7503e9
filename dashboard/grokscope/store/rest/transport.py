"""An MLflow server, through REST: whole histories of 20 runs in one request, or only what is new of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import polars as pl

from grokscope.schemas import empty_points
from grokscope.schemas.secrets import redacted
from grokscope.store.arrays.artifacts import Artifacts
from grokscope.store.arrays.server import ServerArtifacts
from grokscope.store.deadline import paged
from grokscope.store.errors import NotMLflowError, RunNotFoundError, no_experiment
from grokscope.store.findings import Finding, Health
from grokscope.store.frames import Row, points_from_rows
from grokscope.store.mlflow_client.transport import id_filter
from grokscope.store.remote.records import RunRecord
from grokscope.store.rest.answers import OddAnswerError, Part, experiment_in, pairs_in, record_in, rows_in
from grokscope.store.rest.calls import RestCalls
from grokscope.store.versions import installed

BULK = "metrics/get-history-bulk-interval"
SAMPLED_FROM = 2500
"""Rows a run at which ``get-history-bulk-interval`` begins to sample; fewer means that they are all there."""

RUNS_A_REQUEST = 20
"""MLflow allows 100; at 31 000 rows/s, 20 full answers stay below the time limit of a request."""

ROWS_A_PAGE = 10_000
_LISTED = 1000
_FIRST_STEP, _LAST_STEP = -(2**63), 2**63 - 1
_NAMED = 5
_SHOWN = 20
_Entry = TypeVar("_Entry")


class RestTransport:
    """A ``Transport`` on a server's REST interface."""

    def __init__(self, uri: str) -> None:
        self._shown = redacted(uri)
        self._calls = RestCalls(uri)
        self._gives_many = True
        self.artifacts: Artifacts = ServerArtifacts(self._calls, shown=self._shown)

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments.

        Raises:
            NotMLflowError: If the answer is JSON, but not a list of experiments.
        """
        return self._listed("experiments/search", {}, name="experiments", read=experiment_in)

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the active runs of the experiments; or, deleted ones too, those with ``run_ids``."""
        if not experiment_ids:
            return []
        wanted = (
            {"run_view_type": "ACTIVE_ONLY"}
            if run_ids is None
            else {"run_view_type": "ALL", "filter": id_filter(run_ids)}
        )
        body = {"experiment_ids": list(experiment_ids), **wanted}
        read = partial(record_in, experiment_ids=frozenset(experiment_ids))
        # A run that is logged meanwhile moves others to the next page, where they come again.
        found = {
            record.run_id: record for record in self._listed("runs/search", body, name="runs", read=read)
        }
        return list(found.values())

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return all rows of one metric at or after a step for each run; ``None`` for the whole history."""
        # Runs of one request share its first step, so neighbours in progress go together.
        ordered = sorted(steps, key=lambda run: (_from(steps[run]), run))
        groups = [ordered[i : i + RUNS_A_REQUEST] for i in range(0, len(ordered), RUNS_A_REQUEST)]
        read = [self._window(key, group, _from(steps[group[0]])) for group in groups]
        return pl.concat([empty_points(), *read])

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an active experiment."""
        try:
            return self._calls.get(
                "experiments/get-by-name",
                {"experiment_name": experiment},
                lambda answer: pairs_in(answer.part("experiment"), "tags"),
            )
        except RunNotFoundError as error:
            raise no_experiment(experiment) from error

    def version(self) -> Finding:
        """Return which MLflow the server says it is."""
        server = self._calls.version()[:_SHOWN]
        says = f"mlflow {server} there, {installed()}"
        is_old = server.split(".", maxsplit=1)[0] in ("0", "1")
        return Finding(
            subject="version",
            health=Health.WARN if is_old else Health.OK,
            says=says,
            remedy="Upgrade the server: those of MLflow 2 and 3 are known to work." if is_old else "",
        )

    def _window(self, key: str, run_ids: Sequence[str], first_step: int) -> pl.DataFrame:
        if not self._gives_many:
            return pl.concat([self._history(key, run_id) for run_id in run_ids])
        bounds = {"start_step": first_step, "end_step": _LAST_STEP, "max_results": SAMPLED_FROM}
        asked = {"run_ids": list(run_ids), "metric_key": key, **bounds}
        try:
            rows = self._calls.get(BULK, asked, partial(rows_in, key=key, run_ids=frozenset(run_ids)))
        except NotMLflowError as error:
            if isinstance(error.__cause__, OddAnswerError):
                raise
            self._gives_many = False  # a server before MLflow 2.11 knows no such request
            return self._window(key, run_ids, first_step)
        points = points_from_rows(rows)
        counts = points.group_by("run_id").len()
        sampled = counts.filter(pl.col("len") >= SAMPLED_FROM)["run_id"].to_list()
        # A sample may hide the very decade in which the transition lies: never use one.
        whole = [self._history(key, run_id) for run_id in sampled]
        return pl.concat([points.filter(~pl.col("run_id").is_in(sampled)), *whole])

    def _history(self, key: str, run_id: str) -> pl.DataFrame:
        def ask(token: str | None) -> tuple[list[Row], str]:
            asked = {"run_id": run_id, "metric_key": key, "max_results": ROWS_A_PAGE, "page_token": token}
            return self._calls.get(
                "metrics/get-history", asked, lambda answer: (rows_in(answer, key, [run_id]), _token(answer))
            )

        pages = paged(f"{self._shown}: the history of a metric", ask)
        return pl.concat([empty_points(), *map(points_from_rows, pages)])

    def _listed(
        self, endpoint: str, body: Mapping[str, Any], *, name: str, read: Callable[[Part], _Entry]
    ) -> list[_Entry]:
        def entries(answer: Part) -> tuple[list[_Entry], str]:
            if other := sorted(answer.names() - {name, "next_page_token"}):
                raise OddAnswerError(f"it has {', '.join(other[:_NAMED])} where {name} belong")
            return [read(part) for part in answer.parts(name)], _token(answer)

        def ask(token: str | None) -> tuple[list[_Entry], str]:
            return self._calls.post(endpoint, {**body, "max_results": _LISTED, "page_token": token}, entries)

        return [entry for page in paged(f"{self._shown}: the list of {name}", ask) for entry in page]


def _from(step: int | None) -> int:
    return _FIRST_STEP if step is None else step


def _token(answer: Part) -> str:
    return answer.text("next_page_token", "")
