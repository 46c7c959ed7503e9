"""A real, empty MLflow store in SQLite, made once and copied, since making one takes seconds."""

import http.server
import shutil
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.spool import Meta, SpoolWriter, WriterLock, prepare_spool, publish_spool
from grokscope.collectors.recording.spool.writer import SEGMENT_BYTES
from grokscope.schemas.arrays import Axis, LoggedArray, arrays_in


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowRunStore(f"sqlite:///{path}")._connected()
    return path


@pytest.fixture
def store(empty_store, tmp_path) -> str:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def client(store) -> MlflowClient:
    return MlflowClient(store)


@pytest.fixture
def new_spool(tmp_path, store):
    """Give a function that opens a spool whose writer is a process that has died, or this one."""
    living = []

    def make(run_id: str = "run-a", *, is_alive: bool = False, segment_bytes: int = SEGMENT_BYTES, **changes):
        meta = Meta(
            **{"run_id": run_id, "store": store, "experiment": "e", "name": run_id, "start_ms": 1000}
            | changes
        )
        folder = publish_spool(prepare_spool(tmp_path / "home", meta))
        writer_lock = WriterLock(folder)
        living.append(writer_lock) if is_alive else writer_lock.release()
        return folder, meta, SpoolWriter(folder, segment_bytes=segment_bytes)

    yield make
    for writer_lock in living:
        writer_lock.release()


class FaultServer:
    """Answers every request on a loopback port in the way that ``answer`` says.

    ``answer`` is (status, headers, body); ``None`` accepts the connection and never answers.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] | None = (500, {}, b"")
        self.credentials: list[str | None] = []
        self._end = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                outer.credentials.append(self.headers.get("Authorization"))
                if outer.answer is None:
                    outer._end.wait(60)
                    return
                status, headers, body = outer.answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that http.server asks for

            def log_message(self, *_) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()


def _norms(step: int, *, size: int = 3) -> LoggedArray:
    return LoggedArray(
        name="norms",
        step=step,
        time_ms=1000 + step,
        precision="float32",
        shape=(size,),
        axes=(Axis(name="layer"),),
        data=array("f", [float(step)] * size).tobytes(),
    )


@pytest.fixture(name="norms")
def _given_norms() -> Callable[..., LoggedArray]:
    return _norms


def _expected(steps) -> list[tuple[int, float]]:
    return [(step, float(step)) for step in steps]


@pytest.fixture(name="expected")
def _given_expected() -> Callable[..., list[tuple[int, float]]]:
    return _expected


class CountingStore(MlflowRunStore):
    """A real store that notes which files it is sent, and fails as it is told."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.sent: list[str] = []
        self.trouble: Exception | None = None
        self.is_killed = False

    def put_file(self, run, path, content):
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(path.rpartition("/")[2])
        super().put_file(run, path, content)
        if self.is_killed:
            raise KeyboardInterrupt


class Ship:
    """Deliveries of one spool, each of which is a shipper that has taken over."""

    def __init__(self, folder, meta, tmp_path) -> None:
        self.store = CountingStore(meta.store)
        self.now = 0.0
        self._begin = lambda: Delivery(
            folder,
            meta,
            run_store=self.store,
            dead_letters=tmp_path / "dead" / "run.jsonl",
            clock=lambda: self.now,
        )
        self.take_over()

    def take_over(self) -> None:
        self.delivery = self._begin()

    def work(self) -> None:
        while self.delivery.advance() and not self.delivery.is_done:
            pass


@pytest.fixture
def new_ship(tmp_path) -> Callable[..., Ship]:
    """Give a function that begins to ship a spool."""
    return lambda folder, meta: Ship(folder, meta, tmp_path)


@pytest.fixture
def stored(client):
    """Read the arrays of the only run, file by file."""

    def read() -> dict[str, list[tuple[int, float]]]:
        experiment = client.get_experiment_by_name("e")
        (run,) = client.search_runs([experiment.experiment_id])
        folder = Path(urlsplit(run.info.artifact_uri).path) / "grokscope/arrays"
        frames = {path.name: arrays_in(path.read_bytes(), run_id="r") for path in sorted(folder.glob("*"))}
        return {
            name: frame.select("step", pl.col("values").list.first()).rows() for name, frame in frames.items()
        }

    return read
