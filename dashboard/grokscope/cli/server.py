"""The dashboard's process: its start, its end, and that it keeps answering."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import IO

import typer

from grokscope.cli import stacks
from grokscope.cli.ports import LOOPBACK, ServerError, in_use, is_free
from grokscope.cli.terminal import complain, pass_on
from grokscope.schemas.extras import Extra, require

PATIENCE_S = 60.0
"""A server that has answered nobody for this long is started again."""

START_S = 180.0
"""One that starts has this long: on a cold network disk the imports alone take minutes."""

FAULTS = 3
PERIOD_S = 600.0
"""A fault after ``FAULTS`` others within this time ends the command: more new starts help nobody."""

_THRIFT = {
    "MALLOC_ARENA_MAX": "2",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:200,muzzy_decay_ms:0,narenas:2",  # of polars
}
"""What is no longer used is given back soon: a page that is open all day shares its machine with training."""

_PROBE_S = 2.0
_ANSWER_S = 5.0
_LAST_WORDS_S = 1.0
_ENDED_BY_WISH = frozenset({0, -signal.SIGTERM, 128 + signal.SIGTERM})
_ENDINGS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@contextmanager
def dashboard(
    store: str, *, port: int, host: str = LOOPBACK, patience_s: float = PATIENCE_S
) -> Generator["Dashboard"]:
    """Run the dashboard on ``store`` for as long as the block lasts.

    Raises:
        MissingExtraError: If it is not installed.
        ServerError: If it ends at once, or does not answer within three minutes.
    """
    require(Extra.APP, "streamlit", "altair", "vl_convert", what="the dashboard")
    running = Dashboard(store, port=port, host=host, patience_s=patience_s)
    earlier = {number: signal.getsignal(number) for number in _ENDINGS}
    for number in (n for n in _ENDINGS if earlier[n] != signal.SIG_IGN):  # nohup wishes to be left alone
        signal.signal(number, _leave)
    try:
        running.start()
        yield running
    finally:
        try:
            running.stop()
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)


class Dashboard:
    """The dashboard's server, watched from outside: it is started again when it stands still or dies.

    A process in which one thread keeps Python's lock cannot help itself, nor answer a signal. So this one
    asks for its health page, and the server leaves the stacks of its threads (``dashboard.standstill``).
    """

    def __init__(self, store: str, *, port: int, host: str, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._port = port
        self._host = host
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._words: Thread | None = None
        self._stacks: IO[bytes] | None = None
        self._guard = Lock()
        self._stopping = Event()
        self._ended = Event()
        self._has_answered = False
        self._is_given_up = False
        self._faults: deque[float] = deque(maxlen=FAULTS)
        self._watch = Thread(target=self._keep_up, name="grokscope-dashboard", daemon=True)

    def start(self) -> None:
        """Return once the server answers.

        Raises:
            ServerError: If it ends instead, or does not answer within three minutes.
        """
        process = self._start()
        deadline = time.monotonic() + START_S
        while process is not None and not self._answers():
            if process.poll() is not None:
                if not is_free(self._port, self._host):
                    raise in_use(self._port, self._host)
                self._kill()
                raise ServerError(f"the dashboard ended at once ({_said_of(process.returncode)}); see above")
            if time.monotonic() > deadline:
                raise ServerError(f"the dashboard did not answer on port {self._port} within {START_S:g} s")
            time.sleep(0.1)
        self._watch.start()

    def stop(self) -> None:
        """End the server, by force if it does not go by itself or if this is interrupted."""
        with self._guard:
            self._stopping.set()
        try:
            if self._process is not None:
                self._process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=5)
        finally:
            self._kill()
        if self._watch.is_alive():
            self._watch.join()
        if where := self._kept_stacks():
            _say(f"the dashboard stood still for {self._patience_s / 2:g} s or more{where}")

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended and is not started again."""
        return self._ended.is_set()

    def wait_for_end(self) -> None:
        """Wait until the server has ended because somebody wished it, or Ctrl-C is pressed.

        Polls, since the kernel may hand the interrupt to a thread of polars, where a wait would not see it.

        Raises:
            typer.Exit: If it could not be kept up, which has been said.
        """
        while not self._ended.wait(0.2):
            pass
        if self._is_given_up:
            raise typer.Exit(2)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        """Start the server, unless all is over."""
        from grokscope.dashboard.serving.settings import (  # noqa: PLC0415 - streamlit may not be installed
            PARENT_VARIABLE,
            STACKS_VARIABLE,
            STANDSTILL_VARIABLE,
            STORE_VARIABLE,
            server_flags,
        )

        with self._guard:
            if self._stopping.is_set():
                return None
            self._has_answered = False
            self._stacks = stacks.unnamed_file()
            told, kept = {STORE_VARIABLE: self._store, PARENT_VARIABLE: str(os.getpid())}, ()
            if self._stacks is not None:
                kept = (self._stacks.fileno(),)
                # Half of the patience: the stacks are written before the process is killed.
                told |= {STACKS_VARIABLE: str(kept[0]), STANDSTILL_VARIABLE: str(self._patience_s / 2)}
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "streamlit", "run", *server_flags(self._port, host=self._host)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**_THRIFT, **os.environ, **told},
                pass_fds=kept,
                start_new_session=True,  # Ctrl-C and Ctrl-Z are for this process, which then ends the server
            )
            self._words = _heard(self._process)
            return self._process

    def _keep_up(self) -> None:
        try:
            while (fault := self._fault()) is not None:
                self._begin_again(fault)
        except ServerError as error:
            self._is_given_up = True
            _say(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to hear of it
            self._is_given_up = True
            _say(f"the dashboard cannot be started again: {error}")
        finally:
            self._ended.set()

    def _begin_again(self, fault: str) -> None:
        self._kill()
        where = self._kept_stacks()
        now = time.monotonic()
        if len(self._faults) == FAULTS and now - self._faults[0] < PERIOD_S:
            raise ServerError(
                f"{fault}{where}; too many faults within {PERIOD_S / 60:g} minutes, so it is not started "
                "again. Please report this with the lines above and the files that they name"
            )
        if not is_free(self._port, self._host):
            raise in_use(self._port, self._host)
        self._faults.append(now)
        if self._start() is not None:
            _say(f"{fault} and is started again{where}")

    def _fault(self) -> str | None:
        """Return what is wrong with the server, once something is; ``None`` when it has to end."""
        silent_s = 0.0
        while not self._stopping.wait(_PROBE_S):
            status = self._process.poll() if self._process is not None else 0
            if status in _ENDED_BY_WISH:
                return None
            if status is not None:
                return f"the dashboard ended by itself ({_said_of(status)})"
            asked = time.monotonic()
            if self._answers():
                silent_s = 0.0
                continue
            if self._stopping.is_set():
                return None
            # A round that took longer was no question without an answer: this process was not running.
            silent_s += _PROBE_S + min(time.monotonic() - asked, _ANSWER_S)
            patience_s = self._patience_s if self._has_answered else START_S
            if silent_s >= patience_s:
                return f"the dashboard stood still: it answered nobody for {patience_s:g} s"
        return None

    def _answers(self) -> bool:
        """Return whether the server answers, be it with a refusal: then its loop turns."""
        if self._stacks is not None and not stacks.has_begun(self._stacks):
            return False  # Whoever answers is another's server, which had the port first.
        host = LOOPBACK if self._host == "0.0.0.0" else self._host  # noqa: S104 - compared
        connection = http.client.HTTPConnection(host, self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", "/_stcore/health")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        else:
            self._has_answered = True
            return True
        finally:
            connection.close()

    def _kept_stacks(self) -> str:
        """Keep what the server has left of stacks; return where it is, as the end of a sentence."""
        path = None if self._stacks is None else stacks.keep(self._stacks)
        self._stacks = None
        return "" if path is None else f"; what each of its threads was doing is in {path}"

    def _kill(self) -> None:
        if self._process is not None:
            if self._process.poll() is None and os.name == "posix":
                with suppress(ProcessLookupError):  # with it, whoever draws a figure for it
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        if self._words is not None:
            self._words.join(_LAST_WORDS_S)


def _say(sentence: str) -> None:
    # Nobody may listen any more; the server has to be kept up all the same.
    with suppress(OSError, ValueError):
        complain(sentence)


def _heard(process: "subprocess.Popen[bytes]") -> Thread:
    words = Thread(target=pass_on, args=(process.stderr,), name="grokscope-words", daemon=True)
    words.start()
    return words


def _said_of(status: int) -> str:
    return f"status {status}" if status > 0 else f"killed by signal {-status}"


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal's handler
    """Turn a termination into an exit that ends the dashboard too, which would hold its port otherwise."""
    sys.exit(128 + number)
