"""MLflow's own server for a benchmark: on a store that is there, or on a fresh one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(backend: str, folder: Path) -> Iterator[str]:
    """Give the address of a server on a store, its files in ``folder``."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", backend, "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--artifacts-destination", str(folder / "a")]
    with _running(command, env={"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, cwd=folder):
        uri = f"http://127.0.0.1:{port}"
        _wait_for(f"{uri}/health")
        yield uri


@contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Give the name of a fresh database, PostgreSQL where it is installed, and a server's address on it."""
    with ExitStack() as stack:
        name, backend = "SQLite", f"sqlite:///{folder}/server.db"
        if binaries := _postgres():
            name, backend = "PostgreSQL", stack.enter_context(_postgres_server(binaries))
        yield name, stack.enter_context(serving(backend, folder))


@contextmanager
def _postgres_server(binaries: Path) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="grokscope-bench-postgres-"))
    # PostgreSQL refuses to run as root.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid} if os.geteuid() == 0 else {}
    port = free_port()
    initdb = [
        binaries / "initdb",
        "-D",
        "data",
        "-U",
        "bench",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
    ]
    subprocess.run(initdb, cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)
    options = ["-D", "data", "-k", str(folder), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    with _running([binaries / "postgres", *options], cwd=folder, **who):
        create = [binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "bench"]
        deadline = time.monotonic() + 30
        while subprocess.run(create, check=False, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("PostgreSQL did not start")
            time.sleep(0.2)
        yield f"postgresql+psycopg://bench@127.0.0.1:{port}/bench"
    shutil.rmtree(folder)


@contextmanager
def _running(command: list, *, env: dict[str, str] | None = None, **options) -> Iterator[None]:
    with subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.2)
    raise SystemExit(f"{address} did not answer")


def _postgres() -> Path | None:
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None
