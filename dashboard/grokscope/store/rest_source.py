"""An MLflow server, through REST: whole histories of 20 runs in one request, or only what is new of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.client_source import id_filter
from grokscope.store.errors import NotMLflowError
from grokscope.store.frames import points_from_rows
from grokscope.store.records import RunRecord
from grokscope.store.rest_calls import RestCalls

BULK = "metrics/get-history-bulk-interval"
SAMPLED_FROM = 2500
"""Rows a run at which ``get-history-bulk-interval`` begins to sample; fewer means that they are all there."""

RUNS_A_REQUEST = 20
"""MLflow allows 100; at 31 000 rows/s, 20 full answers stay below the time limit of a request."""

ROWS_A_PAGE = 10_000
_LISTED = 1000
_FIRST_STEP, _LAST_STEP = -(2**63), 2**63 - 1


class RestSource:
    """A ``Source`` on a server's REST interface."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._calls = RestCalls(uri)
        self._gives_many = True

    def experiments(self) -> list[tuple[str, str]]:
        """Return ``(id, name)`` of active experiments.

        Raises:
            NotMLflowError: If the answer is JSON, but not a list of experiments.
        """
        found = self._listed("experiments/search", {}, name="experiments")
        return [(str(e["experiment_id"]), str(e["name"])) for e in found]

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
        return [_record(run) for run in self._listed("runs/search", body, name="runs")]

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return all rows of one metric at or after a step for each run; ``None`` for the whole history."""
        # Runs of one request share its first step, so neighbours in progress go together.
        ordered = sorted(steps, key=lambda run: (_from(steps[run]), run))
        groups = [ordered[i : i + RUNS_A_REQUEST] for i in range(0, len(ordered), RUNS_A_REQUEST)]
        read = [self._window(key, group, _from(steps[group[0]])) for group in groups]
        return pl.concat([empty_points(), *read])

    def _window(self, key: str, run_ids: Sequence[str], first_step: int) -> pl.DataFrame:
        if not self._gives_many:
            return pl.concat([self._history(key, run_id) for run_id in run_ids])
        bounds = {"start_step": first_step, "end_step": _LAST_STEP, "max_results": SAMPLED_FROM}
        asked = {"run_ids": list(run_ids), "metric_key": key, **bounds}
        try:
            answer = self._calls.get(BULK, asked)
        except NotMLflowError:  # a server before MLflow 2.11 knows no such request
            self._gives_many = False
            return self._window(key, run_ids, first_step)
        points = points_from_rows(_row(m["run_id"], m) for m in answer.get("metrics", ()))
        counts = points.group_by("run_id").len()
        sampled = counts.filter(pl.col("len") >= SAMPLED_FROM)["run_id"].to_list()
        # A sample may hide the very decade in which the transition lies: never use one.
        whole = [self._history(key, run_id) for run_id in sampled]
        return pl.concat([points.filter(~pl.col("run_id").is_in(sampled)), *whole])

    def _history(self, key: str, run_id: str) -> pl.DataFrame:
        asked: dict[str, Any] = {"run_id": run_id, "metric_key": key, "max_results": ROWS_A_PAGE}
        rows: list[Sequence[Any]] = []
        while True:
            answer = self._calls.get("metrics/get-history", asked)
            rows.extend(_row(run_id, m) for m in answer.get("metrics", ()))
            asked["page_token"] = answer.get("next_page_token")
            if not asked["page_token"]:
                return points_from_rows(rows)

    def _listed(self, endpoint: str, body: Mapping[str, Any], *, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {**body, "max_results": _LISTED}
        while True:
            answer = self._calls.post(endpoint, asked)
            if not answer.keys() <= {name, "next_page_token"}:
                raise NotMLflowError(
                    f"the answer to {endpoint} has {', '.join(sorted(answer)[:5])} where {name} belong. "
                    "That is not an MLflow server; check the address and port."
                )
            found.extend(answer.get(name, ()))
            asked["page_token"] = answer.get("next_page_token")
            if not asked["page_token"]:
                return found


def _from(step: int | None) -> int:
    return _FIRST_STEP if step is None else step


def _row(run_id: str, metric: Mapping[str, Any]) -> Sequence[Any]:
    # JSON has no NaN: it comes as the text "NaN", which float() reads.
    return run_id, metric["key"], metric.get("step", 0), metric["timestamp"], float(metric["value"]), 0


def _record(run: Mapping[str, Any]) -> RunRecord:
    info, data = run["info"], run.get("data", {})
    return RunRecord(
        run_id=info["run_id"],
        name=info.get("run_name", ""),
        experiment_id=str(info["experiment_id"]),
        status=info["status"],
        start_ms=info.get("start_time"),
        end_ms=info.get("end_time"),
        is_active=info["lifecycle_stage"] == "active",
        params={p["key"]: p.get("value", "") for p in data.get("params", ())},
        tags={t["key"]: t.get("value", "") for t in data.get("tags", ())},
        latest={
            m["key"]: (m.get("step", 0), m["timestamp"], str(m["value"])) for m in data.get("metrics", ())
        },
    )
