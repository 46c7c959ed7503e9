"""Files among the artifacts of runs, sent by MLflow's client in bounded time."""

import tempfile
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path, PurePosixPath
from threading import Thread
from urllib.parse import urlsplit

from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.run_store import NoPlace, TooSlow
from grokscope.schemas.addresses import Kind, address_of

# MLflow's client has no limit of its own where it speaks to S3 and its like.
SECONDS = 15.0
_LOCAL = ("", "file")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ArtifactFiles:
    """Sends files into the artifacts of runs of one store.

    A server may say that a run's artifacts lie anywhere. Into a folder of this machine nothing is written
    that a server on another one has named.

    Args:
        uri: MLflow tracking URI.
    """

    def __init__(self, uri: str) -> None:
        address = address_of(uri)
        host = urlsplit(uri).hostname or ""
        self._may_be_local = address.kind is not Kind.SERVER or host in _LOOPBACK
        self._refused: dict[str, str] = {}
        self._at_work: Thread | None = None

    def put(self, client: MlflowClient, run: str, path: str, content: bytes) -> None:
        """Send one file.

        Raises:
            NoPlace: If the run's artifacts lie where nothing is written.
            TooSlow: If it takes too long, or the one before has not ended yet.
            Exception: Whatever MLflow, or what is below it, raises.
        """
        self._bounded(lambda: self._put(client, run, PurePosixPath(path), content))

    def size(self, client: MlflowClient, run: str, path: str) -> int | None:
        """Return the size of one file; ``None`` where there is none, or its size is not told.

        Raises:
            TooSlow: As ``put``.
            Exception: Whatever MLflow, or what is below it, raises.
        """
        found: list[int | None] = []

        def ask() -> None:
            files = client.list_artifacts(run, str(PurePosixPath(path).parent))
            found.extend(file.file_size for file in files if file.path == path)

        self._bounded(ask)
        return next(iter(found), None)

    def _put(self, client: MlflowClient, run: str, path: PurePosixPath, content: bytes) -> None:
        if run not in self._refused:
            self._refused[run] = self._why_refused(client.get_run(run).info.artifact_uri or "")
        if self._refused[run]:
            raise NoPlace(self._refused[run])
        with tempfile.TemporaryDirectory(prefix="grokscope-") as folder:
            local = Path(folder) / path.name
            local.write_bytes(content)
            try:
                client.log_artifact(run, str(local), str(path.parent))
            except ImportError as error:  # of boto3, google.cloud.storage and the like
                raise NoPlace(
                    f"sending artifacts there needs {error.name or error}, which this Python lacks; install "
                    "it (for s3://, pip install boto3), and start a run again or call grokscope sync"
                ) from error

    def _why_refused(self, place: str) -> str:
        if self._may_be_local or urlsplit(place).scheme.lower() not in _LOCAL:
            return ""
        return (
            "the server says that the run's artifacts lie in a folder, which on this machine is another one; "
            "start it with --artifacts-destination, so that it takes artifacts itself"
        )

    def _bounded(self, work: Callable[[], None]) -> None:
        if self._at_work is not None and self._at_work.is_alive():
            raise TooSlow("the place of artifacts has not answered for long")
        failures: list[BaseException] = []

        def worked() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                failures.append(error)

        # MLflow keeps its workspace in the context.
        thread = Thread(target=copy_context().run, args=(worked,), daemon=True, name="grokscope-artifact")
        thread.start()
        thread.join(SECONDS)
        if thread.is_alive():
            self._at_work = thread
            raise TooSlow(f"the place of artifacts has not answered within {SECONDS:g} s")
        if failures:
            raise failures[0]
