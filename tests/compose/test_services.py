"""The services' own commands and healthchecks, run against a real PostgreSQL."""

import os
import shlex
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import mlflow
import psycopg
import pytest


@pytest.fixture(scope="module")
def database(compose, start_postgres):
    service = compose["services"]["postgres"]
    environment = service["environment"]
    return start_postgres(
        service["command"],
        initdb=shlex.split(environment["POSTGRES_INITDB_ARGS"]),
        user=environment["POSTGRES_USER"],
        database=environment["POSTGRES_DB"],
    )


@pytest.fixture(scope="module")
def mlflow_address(localize, database, free_port):
    address = f"127.0.0.1:{free_port()}"
    service = localize(
        "mlflow",
        addresses=_loopback("mlflow", 5000, address),
        environment=database.environment,
    )
    with _running(service):
        yield address


@pytest.fixture(scope="module")
def dashboard_address(localize, mlflow_address, free_port):
    address = f"127.0.0.1:{free_port()}"
    addresses = {"mlflow:5000": mlflow_address, **_loopback("dashboard", 8501, address)}
    with _running(localize("dashboard", addresses=addresses, environment={})):
        yield address


def test_the_databases_healthcheck_succeeds_and_fails_once_nothing_listens(localize, database, free_port):
    path = f"{database.bin}{os.pathsep}{os.environ['PATH']}"
    there = localize("postgres", addresses={}, environment={**database.environment, "PATH": path})
    gone = localize("postgres", addresses={}, environment={**there.environment, "PGPORT": str(free_port())})
    assert (there.is_healthy(), gone.is_healthy()) == (True, False)


def test_the_database_lets_nobody_in_without_the_password(database):
    address = {"host": "127.0.0.1", "port": database.port, "user": database.user, "dbname": database.database}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**address, password="guess")
    with psycopg.connect(**address, password=database.password) as connection:
        assert connection.execute("show password_encryption").fetchone() == ("scram-sha-256",)


def test_a_metric_logged_to_the_server_is_read_back_and_lies_in_postgresql(mlflow_address, database):
    client = mlflow.MlflowClient(f"http://{mlflow_address}")
    run = client.create_run(client.create_experiment("compose")).info.run_id
    client.log_metric(run, "test/accuracy", 0.75, timestamp=5, step=3)
    [read] = client.get_metric_history(run, "test/accuracy")
    assert (read.value, read.step, read.timestamp) == (0.75, 3, 5)
    with psycopg.connect(database.uri.replace("+psycopg", "")) as connection:
        rows = connection.execute("select value, step from metrics where run_uuid = %s", [run]).fetchall()
    assert rows == [(0.75, 3)]


def test_an_artifact_goes_through_the_server_into_its_volume(mlflow_address):
    client = mlflow.MlflowClient(f"http://{mlflow_address}")
    run = client.create_run(client.create_experiment("artifacts"))
    client.log_text(run.info.run_id, "{}", "grokscope/verdict.json")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert [file.path for file in client.list_artifacts(run.info.run_id, "grokscope")] == [
        "grokscope/verdict.json"
    ]


@pytest.mark.parametrize(
    "host", ["evil.example", "192.168.evil.example", "10.evil.example", "172.16.evil.example"]
)
def test_mlflow_answers_no_other_host(mlflow_address, host):
    assert _status(mlflow_address, {"Host": host}) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost.evil.example", "null"])
def test_mlflow_takes_no_writes_from_pages_of_other_origins(mlflow_address, origin):
    assert _status(mlflow_address, {"Origin": origin}, data=b'{"name": "foreign"}') == 403


def test_mlflow_takes_reads_and_writes_of_its_own_host(mlflow_address):
    assert _status(mlflow_address, {}) == 200
    assert _status(mlflow_address, {"Origin": f"http://{mlflow_address}"}, data=b'{"name": "own"}') == 200


def test_the_dashboard_serves_its_page_and_its_health(dashboard_address):
    for path, content in (("/_stcore/health", "ok"), ("/", "<!DOCTYPE html>")):
        with urllib.request.urlopen(f"http://{dashboard_address}{path}", timeout=10) as answer:
            assert content.lower() in answer.read().decode().lower()


def _loopback(name, port, address):
    """What a container's address becomes here: only loopback, on a port that is free."""
    free = address.split(":")[1]
    return {
        f"{name}:{port}": address,
        f"localhost:{port}": f"localhost:{free}",
        f"127.0.0.1:{port}": address,
        "0.0.0.0": "127.0.0.1",
        str(port): free,
    }


@contextmanager
def _running(service):
    process = service.start()
    try:
        service.wait_until_healthy(process, seconds=120)
        yield
    finally:
        # The whole group: the server's workers must not outlive it, even where it ended by itself.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


def _status(address, headers, data=None):
    """Status of a search of experiments, or of the creation of one when there is a body."""
    path = "experiments/create" if data else "experiments/search?max_results=1"
    request = urllib.request.Request(
        f"http://{address}/api/2.0/mlflow/{path}",
        data=data,
        headers={"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
