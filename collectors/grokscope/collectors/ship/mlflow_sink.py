"""MLflow as a sink: embedded SQLite or a server over HTTP. The only collector that imports mlflow."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import mlflow
import mlflow.exceptions
from mlflow.entities import Metric, Param, Run, ViewType
from mlflow.tracking import MlflowClient

from grokscope.collectors.ship.credentials import without_credentials
from grokscope.collectors.ship.sink import (
    Ending,
    Refused,
    RunGone,
    Scalar,
    StoreReplaced,
    TooSlow,
    Unavailable,
)
from grokscope.collectors.ship.store_version import first_open
from grokscope.collectors.spool import Meta
from grokscope.schemas import CLIENT_RUN_ID, LAST_SEEN, sqlite_path

ATTEMPT = "grokscope.attempt"
DROPPED = "grokscope.dropped"

_PARAMS_A_CALL = 100
_PARAM_LENGTH = 6000
# Codes that will not change by asking again. Everything else is worth another try.
_FINAL = frozenset(
    {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"}
)


class MlflowSink:
    """Writes into one MLflow store.

    Args:
        uri: MLflow tracking URI: ``sqlite:////absolute/path.db`` or ``http(s)://…``.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None
        self._file: tuple[int, int] | None = None

    def open_run(self, meta: Meta) -> str:
        """Return MLflow's id of the run that carries this client's id, creating it if need be."""
        with self._translated():
            client = self._connected()
            experiment = self._experiment(client, meta.experiment)
            found = client.search_runs(
                [experiment],
                filter_string=f"tags.`{CLIENT_RUN_ID}` = '{meta.run_id}'",
                run_view_type=ViewType.ALL,
                max_results=1,
            )
            run: Run = found[0] if found else self._create(client, experiment, meta)
            if run.info.lifecycle_stage == "deleted":
                raise RunGone(meta.run_id)
            self._resume(client, run, meta)
            return run.info.run_id

    def send(self, run: str, scalars: Sequence[Scalar]) -> None:
        """Store scalars in one ``log_batch``; MLflow drops exact repeats by itself."""
        metrics = [Metric(s.key, s.value, s.time_ms, s.step) for s in scalars]
        with self._about(run):
            self._connected().log_batch(run, metrics=metrics, synchronous=True)

    def beat(self, run: str, time_ms: int) -> None:
        """Write the time to the tag ``grokscope.last_seen``."""
        with self._about(run):
            self._connected().set_tag(run, LAST_SEEN, str(time_ms))

    def end_run(self, run: str, ending: Ending) -> None:
        """Set status and end time, and the tag ``grokscope.dropped`` if anything was."""
        with self._about(run):
            client = self._connected()
            if ending.dropped:
                client.set_tag(run, DROPPED, str(ending.dropped))
            if _attempt(client.get_run(run)) <= ending.attempt:
                client.set_terminated(run, status=ending.status, end_time=ending.time_ms)

    def _connected(self) -> MlflowClient:
        if self._client is None:
            with first_open(self._uri):
                client = MlflowClient(self._uri)
                client.get_experiment_by_name("Default")  # makes the client open the store now
            self._client, self._file = client, _file_of(self._uri)
        return self._client

    def _experiment(self, client: MlflowClient, name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                raise RunGone(f"experiment {name!r} was deleted")
            return found.experiment_id
        path = sqlite_path(self._uri)
        # Beside the database: MLflow's default is relative to whoever asks first.
        place = None if path is None else (path.parent / "mlartifacts" / name).as_uri()
        try:
            return client.create_experiment(name, artifact_location=place)
        except mlflow.exceptions.MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":  # somebody was faster
                return self._experiment(client, name)
            raise

    def _create(self, client: MlflowClient, experiment: str, meta: Meta) -> Run:
        tags = {**meta.tags, CLIENT_RUN_ID: meta.run_id}
        return client.create_run(experiment, start_time=meta.start_ms, tags=tags, run_name=meta.name)

    def _resume(self, client: MlflowClient, run: Run, meta: Meta) -> None:
        there = run.data.params
        new = [Param(k, v[:_PARAM_LENGTH]) for k, v in meta.params.items() if k not in there]
        for begin in range(0, len(new), _PARAMS_A_CALL):
            part = new[begin : begin + _PARAMS_A_CALL]
            client.log_batch(run.info.run_id, params=part, synchronous=True)
        if _attempt(run) > meta.attempt:  # what an earlier attempt has left comes late
            return
        client.set_tag(run.info.run_id, ATTEMPT, str(meta.attempt))
        if run.info.status != "RUNNING":
            client.update_run(run.info.run_id, status="RUNNING")

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Tell a store that is away from one whose file was deleted: MLflow keeps the old one open."""
        try:
            with _translated():
                yield
        except Unavailable:
            if self._file is not None and self._file != _file_of(self._uri):
                raise StoreReplaced(self._uri) from None
            raise

    @contextmanager
    def _about(self, run: str) -> Generator[None]:
        """Tell a bad batch from a run that has gone."""
        try:
            with self._translated():
                yield
        except Refused:
            with self._translated():
                if self._is_gone(run):
                    raise RunGone(run) from None
            raise

    def _is_gone(self, run: str) -> bool:
        try:
            return self._connected().get_run(run).info.lifecycle_stage == "deleted"
        except mlflow.exceptions.MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return True
            raise


def _file_of(uri: str) -> tuple[int, int] | None:
    """Return what tells the file of an embedded store from another one of the same name."""
    path = sqlite_path(uri)
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _attempt(run: Run) -> int:
    text: str = run.data.tags.get(ATTEMPT, "0")
    return int(text) if text.isdecimal() else 0


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except (RunGone, Refused, Unavailable):
        raise
    except mlflow.exceptions.MlflowException as error:
        text = _first_line(error)
        if _is_final(error):
            raise Refused(text) from error
        if "timed out" in text.lower():
            raise TooSlow(text) from error
        raise Unavailable(text) from error
    except Exception as error:
        # For instance protobuf's ParseError, when something else than MLflow answers with JSON of its own.
        raise Unavailable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    # SQLAlchemy may begin with when it noticed, instead of with what.
    lines = [x for x in without_credentials(str(error)).splitlines() if not x.startswith("(raised as a")]
    return lines[0] if lines else type(error).__name__


def _is_final(error: mlflow.exceptions.MlflowException) -> bool:
    code: Any = error.error_code
    # A REST answer without a code of MLflow's comes from something else, for instance a proxy.
    return code in _FINAL and "API request to" not in str(error)
