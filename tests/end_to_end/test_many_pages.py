"""Pages of many people beside a training: however they fall together, the server goes on answering."""

import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing
from threading import Event, Thread

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

VIEWS = ("live", "runs", "compare", "interventions", "run", "measures", "health")
SESSIONS = 6
SECONDS = 15.0
PATIENCE_S = 30.0
A_PAGE_S = 2.5
# A server that stands still never answers; one on a machine that is stalled by others answers late.
A_DRAWING_S = 150.0


class PageSession(Thread):
    """A browser's half of a page: over the WebSocket, one page after the other, each refreshed at once.

    Six of these ask more of a server than six windows of a browser, and leave it the machine's cores.

    Attributes:
        drawn: How many drawings of each page have come to their end.
        failed: Drawings that did not end well, and the exception that ended the session.
    """

    def __init__(self, port: int, pages: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self.drawn: dict[str, int] = dict.fromkeys(pages, 0)
        self.failed: list[str] = []
        self._address = f"127.0.0.1:{port}"
        self._ended = Event()

    def stop(self) -> None:
        self._ended.set()

    def run(self) -> None:
        try:
            with connect(
                f"ws://{self._address}/_stcore/stream",
                origin=f"http://{self._address}",
                subprotocols=["streamlit"],
                max_size=None,
                open_timeout=A_DRAWING_S,
                ping_interval=None,
            ) as self._socket:
                while not self._ended.is_set():
                    for page in self.drawn:
                        self._stay(page)
        except (OSError, TimeoutError, ConnectionClosed) as error:
            if not self._ended.is_set():
                self.failed.append(repr(error))

    def _stay(self, page: str) -> None:
        until = time.monotonic() + A_PAGE_S
        fragment = self._draw(page)
        while time.monotonic() < until and not self._ended.is_set():
            fragment = self._draw(page, fragment) or fragment

    def _draw(self, page: str, fragment: str = "") -> str:
        """Ask for a page, or for what it refreshes by itself; return what that is once it is drawn."""
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        asked.rerun_script.page_name = page
        asked.rerun_script.fragment_id = fragment
        self._socket.send(asked.SerializeToString())
        refreshes = ""
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=A_DRAWING_S))
            if message.HasField("auto_rerun"):
                refreshes = message.auto_rerun.fragment_id
            if message.HasField("delta") and message.delta.new_element.HasField("exception"):
                self.failed.append(f"{page}: {message.delta.new_element.exception.message}")
            if message.HasField("script_finished"):
                break
        ended = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
        if "SUCCESSFULLY" not in ended and ended != "FINISHED_EARLY_FOR_RERUN":
            self.failed.append(f"{page}: {ended}")
        self.drawn[page] += 1
        return refreshes


@pytest.fixture
def started(tmp_path, running):
    """Give a function that starts a command of ours, which ends with the test."""
    # As polars itself chooses on two cores: with more threads for its work, a standstill comes later.
    environment = {**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home"), "POLARS_MAX_THREADS": "2"}
    with ExitStack() as processes, (tmp_path / "errors").open("a") as errors:

        def start(*arguments):
            command = [sys.executable, "-m", "grokscope.cli.main", *arguments]
            return processes.enter_context(
                running(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
            )

        yield start


def health(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=PATIENCE_S) as answer:
        return answer.read().decode()


def has_points(database):
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT COUNT(*) FROM metrics").fetchone()[0])
    except sqlite3.OperationalError:
        return False


def test_the_server_answers_all_the_time_that_six_sessions_go_through_all_pages(
    started, free_port, tmp_path, wait_until
):
    port, store, errors = free_port(), f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "errors"
    # One run at a time, so that it trains for long.
    sweep = ("demo", "--headless", "--workers", "1", "--store", store)
    started("up", "--store", store, "--port", str(port), "--no-browser")
    wait_until(lambda: "Ctrl-C ends it" in errors.read_text(), seconds=200)
    training = started(*sweep)
    sessions = [PageSession(port, (*VIEWS[i % 6 :], *VIEWS[: i % 6])) for i in range(SESSIONS)]
    for session in sessions:
        session.start()
    wait_until(lambda: has_points(tmp_path / "mlflow.db"), seconds=120)
    before = [dict(session.drawn) for session in sessions]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert health(port) == "ok"
        if training.poll() is not None:
            assert training.returncode == 0, errors.read_text()
            training = started(*sweep)
        time.sleep(0.5)
    since = list(zip(sessions, before, strict=True))
    wait_until(
        lambda: all(s.failed or s.drawn[v] > b[v] for s, b in since for v in VIEWS), seconds=A_DRAWING_S
    )
    for session in sessions:
        session.stop()
    assert [session.failed for session in sessions] == [[]] * SESSIONS
    assert "started again" not in errors.read_text()
