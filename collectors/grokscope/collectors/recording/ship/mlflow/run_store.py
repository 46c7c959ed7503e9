"""Runs and scalars into MLflow: embedded SQLite or a server. The only collector that imports mlflow."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import mlflow
import mlflow.exceptions
from mlflow.entities import Experiment, Metric, Param, Run, RunTag, ViewType
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.mlflow.artifacts import ArtifactFiles
from grokscope.collectors.recording.ship.mlflow.errors import reading, translated
from grokscope.collectors.recording.ship.mlflow.store_version import first_open
from grokscope.collectors.recording.ship.run_store import (
    Ending,
    Label,
    Refused,
    RunGone,
    RunMissing,
    Scalar,
    StoreReplaced,
    Unavailable,
)
from grokscope.collectors.recording.spool import Meta
from grokscope.schemas import CLIENT_RUN_ID, DAMAGE, DROPPED, FAILED, LAST_SEEN, sqlite_path
from grokscope.schemas.files.new_sqlite import made_whole
from grokscope.schemas.limits import TAG_LENGTH
from grokscope.schemas.names import safe_name
from grokscope.schemas.secrets import without_credentials
from grokscope.schemas.tags import ATTEMPT, ELSEWHERE, WITHDRAWN

# Whoever serves a home under whatever host name opens its runs one after the other.
_ANY_HOST = "*"
_LOCK_TRIES = 100
# How long another maker of the same run, on another machine, has to see this one and to give way.
_LOOKS, _BETWEEN_LOOKS = 20, 0.1
_MOST_DOUBLES = 50


class MlflowRunStore:
    """Writes into one MLflow store.

    Args:
        uri: MLflow tracking URI: ``sqlite:////absolute/path.db`` or ``http(s)://…``.
        home: Where the locks of this machine are; without it two sinks that open one run at one instant
            are told apart only after both have created it.
    """

    def __init__(self, uri: str, *, home: Path | None = None) -> None:
        self._uri = uri
        self._home = home
        self._client: MlflowClient | None = None
        self._artifacts = ArtifactFiles(uri)
        self._file: tuple[int, int] | None = None

    def open_run(self, meta: Meta) -> str:
        """Return MLflow's id of the run that carries this client's id, creating it if need be."""
        with self._translated():
            client = self._connected()
            experiment = self._experiment(client, meta.experiment)
            with self._one_at_a_time():
                run = _meant(client, experiment, meta) or self._create(client, experiment, meta)
            if _is_deleted(run):
                raise RunGone(meta.run_id)
            self._resume(client, run, meta)
            return run.info.run_id

    def describe(self, run: str, labels: Sequence[Label]) -> None:
        """Store params and tags in one ``log_batch``; MLflow refuses to change a param."""
        params = [Param(label.key, label.value) for label in labels if label.kind == "param"]
        tags = [RunTag(label.key, label.value) for label in labels if label.kind == "tag"]
        with self._about(run):
            self._connected().log_batch(run, params=params, tags=tags, synchronous=True)

    def send(self, run: str, scalars: Sequence[Scalar]) -> None:
        """Store scalars in one ``log_batch``; MLflow drops exact repeats by itself."""
        metrics = [Metric(s.key, s.value, s.time_ms, s.step) for s in scalars]
        with self._about(run):
            self._connected().log_batch(run, metrics=metrics, synchronous=True)

    def put_file(self, run: str, path: str, content: bytes) -> None:
        """Store a file among the run's artifacts; MLflow puts it in the place of one of the same name."""
        with self._about(run):
            self._artifacts.put(self._connected(), run, path, content)

    def file_size(self, run: str, path: str) -> int | None:
        """Return the size that MLflow lists."""
        with self._about(run):
            return self._artifacts.size(self._connected(), run, path)

    def heartbeat(self, run: str, time_ms: int) -> None:
        """Write the time to the tag ``grokscope.last_seen``."""
        with self._about(run):
            self._connected().set_tag(run, LAST_SEEN, str(time_ms))

    def end_run(self, run: str, ending: Ending) -> None:
        """Set status and end time, and tags for what was dropped, has failed or could not be read."""
        with self._about(run):
            client = self._connected()
            if ending.dropped:
                client.set_tag(run, DROPPED, str(ending.dropped))
            if ending.failed:
                client.set_tag(run, FAILED, ending.failed[:TAG_LENGTH])
            found = client.get_run(run)
            if ending.damage and ending.damage not in (told := found.data.tags.get(DAMAGE, "")):
                text = f"{told}; {ending.damage}" if told else ending.damage
                client.set_tag(run, DAMAGE, text[:TAG_LENGTH])
            if _attempt(found) <= ending.attempt:
                client.set_terminated(run, status=ending.status, end_time=ending.time_ms)
            if ending.withdrawn:
                client.delete_run(run)

    def withdraw(self, meta: Meta) -> None:
        """Delete every run that carries this client's id, in the way that MLflow can restore."""
        with self._translated():
            client = self._connected()
            for run in self._withdrawn(client, meta):
                if not _is_deleted(run):
                    for tag, text in meta.tags.items():
                        client.set_tag(run.info.run_id, tag, text[:TAG_LENGTH])
                    if run.info.status == "RUNNING":
                        client.set_terminated(run.info.run_id, status="KILLED", end_time=meta.start_ms)
                    client.delete_run(run.info.run_id)

    def _withdrawn(self, client: MlflowClient, meta: Meta) -> list[Run]:
        """Return the runs that are to be deleted; one is made where another machine may still make it."""
        found = _experiment_named(client, meta.experiment)
        runs = [] if found is None else _runs_of(client, found.experiment_id, meta)
        if runs or ELSEWHERE not in meta.tags:
            return runs
        experiment = self._experiment(client, meta.experiment)
        client.create_run(
            experiment, start_time=meta.start_ms, tags={CLIENT_RUN_ID: meta.run_id}, run_name=meta.name
        )
        return _runs_of(client, experiment, meta)  # with one that has come meanwhile

    def _connected(self) -> MlflowClient:
        if self._client is None:
            with first_open(self._uri):
                made_whole(self._uri, lambda new: MlflowClient(new).get_experiment_by_name("Default"))
                client = MlflowClient(self._uri)
                client.get_experiment_by_name("Default")  # makes the client open the store now
            self._client, self._file = client, _file_of(self._uri)
        return self._client

    def _experiment(self, client: MlflowClient, name: str) -> str:
        path = sqlite_path(self._uri)
        # Beside the database: MLflow's default is relative to whoever asks first.
        place = None if path is None else (path.parent / "mlartifacts" / safe_name(name)).as_uri()
        found = _experiment_named(client, name)
        if found is None:
            try:
                return client.create_experiment(name, artifact_location=place)
            except mlflow.exceptions.MlflowException as error:
                found = _experiment_named(client, name)
                if found is None or error.error_code != "RESOURCE_ALREADY_EXISTS":  # nobody was faster
                    raise
        if found.lifecycle_stage == "deleted":
            raise RunGone(f"experiment {name!r} was deleted")
        return found.experiment_id

    @contextmanager
    def _one_at_a_time(self) -> Generator[None]:
        lock = ShipLock(self._home, without_credentials(self._uri), host=_ANY_HOST) if self._home else None
        if lock is not None:
            # Where it stays taken, or nothing can be locked, doubles are still seen once they are made.
            with suppress(OSError):
                lock.acquire(tries=_LOCK_TRIES)
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _create(self, client: MlflowClient, experiment: str, meta: Meta) -> Run:
        tags = {CLIENT_RUN_ID: meta.run_id}
        mine = client.create_run(experiment, start_time=meta.start_ms, tags=tags, run_name=meta.name)
        runs = _runs_of(client, experiment, meta)
        if any(_is_deleted(run) and WITHDRAWN in run.data.tags for run in runs):
            # Another machine has withdrawn it since this one looked, and did not find this run yet.
            client.delete_run(mine.info.run_id)
            raise RunGone(f"run {meta.run_id} was withdrawn")
        return _meant(client, experiment, meta, mine=mine.info.run_id) or mine

    def _resume(self, client: MlflowClient, run: Run, meta: Meta) -> None:
        if _attempt(run) > meta.attempt:  # what an earlier attempt has left comes late
            return
        client.set_tag(run.info.run_id, ATTEMPT, str(meta.attempt))
        if run.info.status != "RUNNING":
            client.update_run(run.info.run_id, status="RUNNING")

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Tell a store that is away from one whose file was deleted: MLflow keeps the old one open."""
        try:
            with translated():
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
            with self._translated(), reading():
                if self._is_gone(run):
                    raise RunGone(run) from None
            raise

    def _is_gone(self, run: str) -> bool:
        try:
            return self._connected().get_run(run).info.lifecycle_stage == "deleted"
        except mlflow.exceptions.MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                raise RunMissing(run) from error
            raise


def _experiment_named(client: MlflowClient, name: str) -> Experiment | None:
    with reading():
        return client.get_experiment_by_name(name)


def _runs_of(client: MlflowClient, experiment: str, meta: Meta) -> list[Run]:
    """Return the runs that carry this client's id, the one that is meant first."""
    found = client.search_runs(
        [experiment],
        filter_string=f"tags.`{CLIENT_RUN_ID}` = '{meta.run_id}'",
        run_view_type=ViewType.ALL,
        max_results=_MOST_DOUBLES,
    )
    return sorted(found, key=lambda run: (_is_deleted(run), not _is_in_use(run), run.info.run_id))


def _meant(client: MlflowClient, experiment: str, meta: Meta, *, mine: str | None = None) -> Run | None:
    """Return the run that is meant, if there is one: several machines may have made it at one instant.

    Once one of them is in use, it is that one. Before, all are empty, and all but that with the smallest id
    give way; whoever sees several waits for it, since another may have come into use unseen.

    Args:
        client: Of the store.
        experiment: Its id.
        meta: The run on the client's side.
        mine: Id of the run that this process has just made; it goes unless it is meant.
    """
    meant: Run | None = None
    empty: set[str] = set()
    for _ in range(_LOOKS):
        runs = _runs_of(client, experiment, meta)
        meant = runs[0] if runs else None
        empty = {run.info.run_id for run in runs if not _is_deleted(run) and not _is_in_use(run)}
        if mine is not None and meant is not None and meant.info.run_id != mine:
            if mine in empty:
                client.delete_run(mine)
            mine = None
        if meant is None or len(empty) <= 1 or _is_in_use(meant):
            return meant
        time.sleep(_BETWEEN_LOOKS)
    if mine is not None:  # whoever made the others has died meanwhile
        for other in empty - {mine}:
            client.delete_run(other)
    return meant


def _is_deleted(run: Run) -> bool:
    return run.info.lifecycle_stage == "deleted"


def _is_in_use(run: Run) -> bool:
    """Say whether somebody has opened the run; before that it is empty."""
    return ATTEMPT in run.data.tags


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
