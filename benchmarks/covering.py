"""Which tests execute a line of code, and how long each takes; tests run without importing libraries anew.

Run as a script in a copy of the repository, it serves ``Tests``: it imports the libraries once and forks for
every run that it is asked for.
"""

import contextlib
import hashlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
KEPT = REPOSITORY / "build" / "mutants"
LIBRARIES = (
    "alembic.command", "anyio", "hypothesis", "mlflow.store.tracking.sqlalchemy_store", "mlflow.tracking",
    "numpy", "playwright.sync_api", "polars", "psycopg", "rich.console", "scipy.stats", "torch", "typer",
    "xdist", "_pytest.doctest", "adbc_driver_postgresql.dbapi", "mlflow.utils.rest_utils",
)  # fmt: skip
OPTIONS = (
    "-q", "-x", "-p", "no:cacheprovider", "--doctest-modules",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # some of the libraries are plugins
)  # fmt: skip
# Processes that a test starts are told its name by pytest, and add to what the test executes.
SETTINGS = """
[run]
parallel = true
data_file = {folder}/data
include = {include}
context = ${{PYTEST_CURRENT_TEST-}}
disable_warnings = no-data-collected, module-not-measured, module-not-imported, couldnt-parse
"""
STARTED = """
import sys

if not any("mlflow" in word for word in sys.orig_argv):  # a server of MLflow has no code of a room
    import coverage

    coverage.process_startup()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test that passes: how long it takes, and the lines that it executes in each module of the room."""

    name: str
    seconds: float
    lines: dict[str, frozenset[int]]


class Tests:
    """Runs tests in a copy of the repository, each time in a fork of a process with the libraries."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        environment = os.environ | {
            "KERAS_BACKEND": "torch",
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(
                [*(str(copy / room) for room in ROOMS), os.environ.get("PYTHONPATH", "")]
            ),
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=copy,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, options: Sequence[str], *, limit_s: float, measured: Path | None = None) -> str:
        """Return whether the tests ``passed``, ``failed`` or outlasted their ``time limit``."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"options": options, "limit_s": limit_s, "measured": measured and str(measured)}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().strip()

    def close(self) -> None:
        self._process.communicate()


class Coverage:
    """The tests in each file of tests, measured when they are first asked for and kept from then on.

    They are measured anew when their file or the code of the room has changed.
    """

    def __init__(self, room: Path) -> None:
        self.room = room.relative_to(REPOSITORY)
        sources = b"".join(path.read_bytes() for path in sorted(room.rglob("*.py")))
        self._code = hashlib.sha256(sources).hexdigest()
        self._lock = threading.Lock()
        self._known: dict[Path, list[Test]] = {}

    def of(self, places: Iterable[Path], tests: Tests) -> list[Test]:
        """Return the tests in these files and folders, relative to the repository."""
        files: dict[Path, None] = {}
        for place in places:
            inside = sorted((tests.copy / place).rglob("test_*.py"))
            files.update(dict.fromkeys([path.relative_to(tests.copy) for path in inside] or [place]))
        with self._lock:
            kept = {file: self._kept(tests.copy, file) for file in files if (tests.copy / file).is_file()}
            missing = [file for file in kept if file not in self._known and not kept[file].exists()]
            if missing:  # all at once: they may share a server
                self._measure({file: kept[file] for file in missing}, tests)
            for file in kept.keys() - self._known.keys():
                self._known[file] = [
                    Test(
                        name=name,
                        seconds=seconds,
                        lines={m: frozenset(numbers) for m, numbers in lines.items()},
                    )
                    for name, seconds, lines in json.loads(kept[file].read_text())
                ]
            return [test for file in kept for test in self._known[file]]

    def _kept(self, copy: Path, file: Path) -> Path:
        parts = self._code.encode(), str(file).encode(), (copy / file).read_bytes()
        return KEPT / f"{hashlib.sha256(b'|'.join(parts)).hexdigest()}.json"

    def _measure(self, kept: Mapping[Path, Path], tests: Tests) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            settings = SETTINGS.format(folder=folder, include=tests.copy / self.room / "*")
            (folder / "settings").write_text(settings)
            (folder / "sitecustomize.py").write_text(STARTED)
            tests.run([str(file) for file in kept], limit_s=900 * len(kept), measured=folder)
            if not (folder / "seconds.json").exists():
                raise SystemExit(f"pytest could not run, or not in time: {' '.join(map(str, kept))}")
            seconds: dict[str, float] = json.loads((folder / "seconds.json").read_text())
            lines: dict[str, dict[str, list[int]]] = {}
            for context, module, number in executed(folder):
                lines.setdefault(context, {}).setdefault(
                    str(Path(module).relative_to(tests.copy)), []
                ).append(number)
        KEPT.mkdir(parents=True, exist_ok=True)
        for file, path in kept.items():
            inside = [test for test in seconds if test.startswith(f"{file}::")]
            path.write_text(
                json.dumps([(test, round(seconds[test], 3), lines.get(test, {})) for test in inside])
            )


def executed(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Yield the test, the module and the line for every line that a test or a process of its own executed."""
    united = coverage.Coverage(config_file=str(folder / "settings"))
    with contextlib.suppress(coverage.CoverageException):  # no process executed any code of the room
        united.combine()
        data = united.get_data()
        for module in data.measured_files():
            for number, contexts in data.contexts_by_lineno(module).items():
                for test in {re.sub(r" \((setup|call|teardown)\)$", "", context) for context in contexts}:
                    yield test, module, number


class Recorder:
    """Tells the coverage which test runs, and how long each test took that passed."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self._measuring = measuring
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        self._measuring.switch_context(item.nodeid)
        start = time.perf_counter()
        self.seconds[item.nodeid] = 0
        try:
            return (yield)
        finally:
            self._measuring.switch_context("")
            if item.nodeid in self.seconds:
                self.seconds[item.nodeid] = time.perf_counter() - start

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self.seconds.pop(report.nodeid, None)


def run_measured(options: Sequence[str], folder: Path) -> None:
    os.environ["COVERAGE_PROCESS_START"] = str(folder / "settings")
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ["PYTHONPATH"], str(folder)])
    measuring = coverage.Coverage(config_file=str(folder / "settings"), context="")
    recorder = Recorder(measuring)
    measuring.start()
    code = pytest.main([option for option in options if option != "-x"], plugins=[recorder])
    measuring.stop()
    measuring.save()
    if code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        (folder / "seconds.json").write_text(json.dumps(recorder.seconds))


def run_forked(options: Sequence[str], measured: str | None) -> int:
    # Folders of tests of its own: pytest would first delete what earlier runs have left in the common one.
    options = [*OPTIONS, f"--basetemp={tempfile.mkdtemp(dir=Path.cwd().parent)}", *options]
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    sys.stdin = os.fdopen(0)
    if measured:
        run_measured(options, Path(measured))
        return 0
    return int(pytest.main(options))


def outcome(process: int, limit_s: float) -> str:
    """Wait for the process; whatever it has started in its session ends with it."""
    end = time.monotonic() + limit_s
    try:
        while time.monotonic() < end:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return "failed" if status else "passed"
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "time limit"


def serve() -> None:
    sys.path[0] = str(Path.cwd())  # as python -m pytest has it, instead of this file's folder
    for name in LIBRARIES:
        importlib.import_module(name)
    assert threading.active_count() == 1, "a library started a thread, which a fork would not have"
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            code = 1
            try:
                os.setsid()
                code = run_forked(asked["options"], asked["measured"])
            finally:
                os._exit(code)
        os.write(1, outcome(process, asked["limit_s"]).encode() + b"\n")


if __name__ == "__main__":
    serve()
