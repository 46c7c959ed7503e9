"""The dashboard's server under faults that it cannot survive by itself: real ones, in a real process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import typer

from grokscope.cli.ports import ServerError, choose_port
from grokscope.cli.server import PATIENCE_S, dashboard

# Found by every Python that starts with this folder on its path: once the file is there, a thread of the
# server takes the interpreter's lock and keeps it, as a deadlock between two libraries does.
KEEPER_OF_THE_LOCK = """
import ctypes, os, sys, threading, time

def keep_the_lock():
    while not os.path.exists(os.environ["KEEP_THE_LOCK"]):
        time.sleep(0.05)
    os.remove(os.environ["KEEP_THE_LOCK"])
    ctypes.PyDLL(None).sleep(600)

if "streamlit" in sys.orig_argv:
    threading.Thread(target=keep_the_lock, daemon=True).start()
"""


@pytest.fixture
def patience_s():
    return PATIENCE_S


@pytest.fixture
def up(tmp_path, free_port, monkeypatch, patience_s):
    """Start the dashboard on a store that is not there yet; give its port."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    port = free_port()
    with dashboard(f"sqlite:///{tmp_path}/later.db", port=port, patience_s=patience_s) as running:
        yield running, port


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Give the file whose coming makes the server stand still."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(KEEPER_OF_THE_LOCK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("KEEP_THE_LOCK", str(tmp_path / "keep"))
    return tmp_path / "keep"


@pytest.fixture
def servers(command_lines):
    """Give a function that finds the processes which serve a port."""
    return lambda port: [pid for pid, words in command_lines().items() if f"--server.port={port}" in words]


def health(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
            return answer.read().decode()
    except OSError:
        return None


@pytest.fixture
def wait_for_another(servers, wait_until):
    """Give a function that waits until another process than the one before answers at the port."""

    def wait(port, before):
        wait_until(lambda: servers(port) not in ([], [before]) and health(port) == "ok", seconds=120)

    return wait


def stacks(tmp_path):
    return sorted((tmp_path / "home").glob("dashboard/*"))


def sentences(capfd):
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith("grokscope:")]


@pytest.mark.parametrize("patience_s", [8.0])
def test_a_server_whose_threads_all_wait_for_pythons_lock_is_started_again_with_its_stacks_kept(
    lock, up, tmp_path, capfd, servers, wait_for_another
):
    _, port = up
    (process,) = servers(port)
    lock.touch()
    wait_for_another(port, process)
    (kept,) = stacks(tmp_path)
    assert sentences(capfd)[0] == (
        "grokscope: the dashboard stood still: it answered nobody for 8 s and is started again; "
        f"what each of its threads was doing is in {kept}"
    )
    assert "in keep_the_lock" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_server_that_is_killed_is_started_again_and_no_stacks_are_told_of(
    up, capfd, tmp_path, servers, wait_for_another
):
    _, port = up
    (process,) = servers(port)
    os.kill(process, signal.SIGKILL)
    wait_for_another(port, process)
    assert sentences(capfd) == [
        "grokscope: the dashboard ended by itself (killed by signal 9) and is started again"
    ]
    assert stacks(tmp_path) == []


def test_a_server_that_dies_again_and_again_while_it_starts_is_given_up_with_a_sentence(
    up, capfd, servers, wait_until
):
    running, port = up
    for _ in range(4):
        (process,) = wait_until(lambda: servers(port))
        os.kill(process, signal.SIGKILL)
        wait_until(lambda gone=process: gone not in servers(port))
    with pytest.raises(typer.Exit) as ended:
        running.wait_for_end()
    assert ended.value.exit_code == 2
    assert running.has_ended
    *others, last = sentences(capfd)
    assert len(others) == 3
    assert "too many faults within 10 minutes, so it is not started again" in last


def test_a_server_that_somebody_ends_stays_ended(up, capfd, servers):
    running, port = up
    (process,) = servers(port)
    os.kill(process, signal.SIGTERM)
    running.wait_for_end()
    assert servers(port) == []
    assert sentences(capfd) == []


def test_a_dashboard_that_cannot_start_says_so_at_once(tmp_path, free_port, monkeypatch, capfd):
    """What it says itself stands above, and a terminal obeys nothing in it."""
    (tmp_path / "streamlit.py").write_text(r"raise ImportError('broken \x1b]0;here\x07\r\u202e')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        pytest.raises(ServerError, match=r"the dashboard ended at once \(status 1\); see above"),
        dashboard("sqlite:///later.db", port=free_port()),
    ):
        pytest.fail("it is up")
    assert capfd.readouterr().err.splitlines()[-1] == r"ImportError: broken \x1b]0;here\x07\r\u202e"


def test_a_port_that_another_took_at_the_last_moment_is_said_to_be_in_use(free_port):
    """The other answers in its own way: its page is not shown as the dashboard."""
    other = ThreadingHTTPServer(("127.0.0.1", free_port()), SimpleHTTPRequestHandler)
    Thread(target=other.serve_forever, daemon=True).start()
    port = other.server_address[1]
    try:
        with (
            pytest.raises(ServerError, match=f"port {port} is in use on 127.0.0.1; choose another"),
            dashboard("sqlite:///later.db", port=port),
        ):
            pytest.fail("it is up")
    finally:
        other.shutdown()
        other.server_close()


def test_a_host_that_is_none_of_this_machine_is_refused_with_the_reason():
    with pytest.raises(ServerError, match=r"cannot listen on '192\.0\.2\.1', port 8501: Cannot assign"):
        choose_port(8501, "192.0.2.1")


@pytest.fixture
def command(tmp_path, free_port, monkeypatch, servers, wait_until):
    """Start ``grokscope up`` as a shell does, in a process group of its own; give it and its port."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    port = free_port()
    arguments = ["up", "--store", f"sqlite:///{tmp_path}/later.db", "--port", str(port), "--no-browser"]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "grokscope.cli.main", *arguments], stderr=errors, start_new_session=True
        )
    try:
        wait_until(lambda: "Ctrl-C ends it" in (tmp_path / "errors").read_text(), seconds=120)
        yield process, port
    finally:
        for number in (process.pid, *servers(port)):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        process.wait()


@pytest.fixture(autouse=True, scope="module")
def _hang_up_is_heard():
    """Under ``nohup`` the tests would be deaf to it, and so would all that they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_to_all_that_a_terminal_started_ends_all_without_a_word(
    command, tmp_path, number, servers
):
    process, port = command
    os.killpg(process.pid, number)
    assert process.wait(30) == 128 + number
    assert servers(port) == []
    said = (tmp_path / "errors").read_text().splitlines()
    assert [line for line in said if line.startswith("grokscope:")][1:] == []  # the first: no store yet
    assert "Aborted!" not in said
    assert stacks(tmp_path) == []


def test_a_server_does_not_outlive_a_command_that_is_killed(command, servers, wait_until):
    process, port = command
    process.kill()
    wait_until(lambda: servers(port) == [])


def test_a_second_ctrl_c_leaves_no_server_behind_that_stands_still(lock, command, servers, wait_until):
    process, port = command
    lock.touch()
    wait_until(lambda: health(port) is None)
    process.send_signal(signal.SIGINT)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    wait_until(lambda: servers(port) == [], seconds=10)


def test_a_store_that_accepts_and_never_answers_is_named_at_once_and_the_dashboard_opens(tmp_path, free_port):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        command = [sys.executable, "-m", "grokscope.cli.main", "up", "--store", uri, "--no-browser"]
        environment = {**os.environ, "GROKSCOPE_HOME": str(tmp_path)}
        command += ["--port", str(free_port())]
        said = []
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            while line := process.stderr.readline():
                said.append(line.strip())
                if "Ctrl-C" in line:
                    break
            process.send_signal(signal.SIGINT)
    waits, late, shows = said
    assert waits == f"grokscope: waiting for {uri} to answer; the dashboard opens in any case"
    assert late.startswith(f"grokscope: {uri} did not answer within 5 s.")
    assert shows.endswith(f"shows {uri}; Ctrl-C ends it")
