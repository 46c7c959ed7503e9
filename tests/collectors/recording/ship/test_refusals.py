"""A store that says no: for a while to everything, or for good to one part of a run."""

import json
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from mlflow.tracking import MlflowClient
from werkzeug.serving import make_server

from grokscope.collectors.recording.ship import __main__ as program
from grokscope.collectors.recording.ship import backlogs, retry_stuck
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.delivery.run_upload import BELIEVED_SECONDS
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Unavailable
from grokscope.collectors.recording.ship.service import Service

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}
NO = b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "not now"}'
GONE = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not here"}'


class Lab:
    """A real MLflow server, and before it a proxy that answers as MLflow does when it refuses something."""

    def __init__(self, app) -> None:
        self._app = app
        self.refuses: Callable[[str, str], bool] = lambda method, path: False
        self.refusal = NO
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.store = f"http://127.0.0.1:{self._server.server_port}"
        self.client = MlflowClient(self.store)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ, start_response):
        if self.refuses(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            start_response("400 BAD REQUEST", [("Content-Type", "application/json")])
            return [self.refusal]
        return self._app(environ, start_response)

    def rows(self, run_id: str) -> list[int]:
        run = self.run(run_id)
        return sorted(m.step for m in self.client.get_metric_history(run.info.run_id, "m"))

    def run(self, run_id: str):
        experiment = self.client.get_experiment_by_name("e").experiment_id
        (run,) = self.client.search_runs([experiment], f"tags.`grokscope.client_run_id` = '{run_id}'")
        return run


@pytest.fixture(scope="module")
def _lab(empty_store, tmp_path_factory) -> Iterator[Lab]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow's server imports is its own affair
        from mlflow.server import app, fastapi_app, handlers  # noqa: F401, PLC0415

    folder = tmp_path_factory.mktemp("server")
    store = f"sqlite:///{shutil.copy(empty_store, folder)}"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            patch.setenv(name, store)  # which the server does too, and does not take back
        handlers.initialize_backend_stores(store, store, str(folder))
        lab = Lab(app)
        yield lab
        lab.close()


@pytest.fixture
def lab(_lab, monkeypatch) -> Iterator[Lab]:
    for name, value in program.MLFLOW_SETTINGS.items():
        monkeypatch.setenv(name, value)
    yield _lab
    _lab.refuses, _lab.refusal = lambda method, path: False, NO


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivery_of(tmp_path, clock):
    def make(folder, meta) -> Delivery:
        dead = tmp_path / "home" / "dead" / f"{meta.run_id}.jsonl"
        return Delivery(folder, meta, run_store=MlflowRunStore(meta.store), dead_letters=dead, clock=clock)

    return make


def finish(delivery: Delivery) -> None:
    for _ in range(20):
        delivery.advance()
        if delivery.is_done:
            return
    raise AssertionError("the delivery does not come to an end")


def letters(tmp_path, run_id: str) -> list[dict]:
    with suppress(FileNotFoundError):
        text = (tmp_path / "home" / "dead" / f"{run_id}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]
    return []


BAD_HOURS = {
    "everything": lambda method, path: True,
    "writing": lambda method, path: method != "GET" and not path.endswith("search"),
    "batches": lambda method, path: path.endswith("log-batch"),
}


@pytest.mark.parametrize("name", BAD_HOURS)
def test_a_server_that_refuses_everything_for_hours_costs_no_point(
    lab, new_spool, tmp_path, clock, delivery_of, name
):
    folder, meta, writer = new_spool(f"hours-{name}", store=lab.store, is_alive=True)
    writer.points(0, 1000, {"m": 0.0})
    delivery = delivery_of(folder, meta)
    delivery.advance()
    for step in range(1, 40):
        writer.points(step, 1000, {"m": 0.5, "n": 0.5})
    lab.refuses = BAD_HOURS[name]
    for _ in range(6):
        with pytest.raises(Unavailable, match="not now"):
            delivery.advance()
        clock.now += 3600
    lab.refuses = lambda method, path: False
    while delivery.advance():
        pass
    writer.close()
    assert lab.rows(meta.run_id) == list(range(40))
    assert letters(tmp_path, meta.run_id) == []
    assert not (folder / "state.json").exists()


def test_a_server_that_knows_the_run_no_more_for_some_minutes_gets_its_points_after(
    lab, new_spool, clock, delivery_of
):
    """As one that was started on another database by mistake; later than that, it is believed."""
    folder, meta, writer = new_spool("missing", store=lab.store, is_alive=True)
    delivery = delivery_of(folder, meta)
    for step in range(2):
        writer.points(step, 1000, {"m": 0.0})
        delivery.advance()
    writer.points(2, 1000, {"m": 0.0})
    lab.refuses, lab.refusal = BAD_HOURS["everything"], GONE
    for _ in range(6):
        with pytest.raises(Unavailable):
            delivery.advance()
        clock.now += BELIEVED_SECONDS / 10
    lab.refuses = lambda method, path: False
    while delivery.advance():
        pass
    assert lab.rows("missing") == [0, 1, 2]
    writer.points(3, 1000, {"m": 0.0})
    lab.refuses = BAD_HOURS["everything"]
    for _ in range(3):
        with pytest.raises(Unavailable):
            delivery.advance()
        clock.now += BELIEVED_SECONDS
    delivery.advance()
    writer.close()
    assert "has no place for the run" in json.loads((folder / "state.json").read_text())["why"]


def test_the_first_answers_of_a_server_may_be_refusals(lab, new_spool, tmp_path, clock, delivery_of):
    folder, meta, writer = new_spool("first", store=lab.store, params={"lr": "0.1"})
    writer.points(0, 1000, {"m": 0.0})
    writer.close(END)
    delivery = delivery_of(folder, meta)
    for refuses in (BAD_HOURS["everything"], BAD_HOURS["batches"], BAD_HOURS["writing"]):
        lab.refuses = refuses
        for _ in range(5):
            with pytest.raises(Unavailable, match="not now"):
                delivery.advance()
            clock.now += BELIEVED_SECONDS / 10
    lab.refuses = lambda method, path: False
    finish(delivery)
    assert (lab.rows("first"), lab.run("first").data.params) == ([0], {"lr": "0.1"})
    assert letters(tmp_path, "first") == []


def test_a_run_that_may_not_be_made_is_left_with_the_reason_and_arrives_later(
    lab, new_spool, tmp_path, clock, delivery_of
):
    folder, meta, writer = new_spool("forbidden", store=lab.store)
    writer.points(0, 1000, {"m": 0.0})
    writer.close(END)
    lab.refuses = lambda method, path: path.endswith("runs/create")
    delivery = delivery_of(folder, meta)
    for _ in range(3):
        with pytest.raises(Unavailable, match="not now"):
            delivery.advance()
        clock.now += BELIEVED_SECONDS
    delivery.advance()
    assert delivery.is_done
    (stuck,) = backlogs(tmp_path / "home")
    assert "refuses the run" in stuck.stuck[0]
    assert "not now" in stuck.stuck[0]
    lab.refuses = lambda method, path: False
    retry_stuck(tmp_path / "home")
    assert Service(tmp_path / "home", lab.store, run_store=MlflowRunStore(lab.store)).run(idle_seconds=0.0)
    assert lab.rows("forbidden") == [0]


def test_an_end_that_is_refused_for_good_is_given_up_and_all_else_has_arrived(
    lab, new_spool, tmp_path, clock, delivery_of
):
    folder, meta, writer = new_spool("endless", store=lab.store)
    writer.points(0, 1000, {"m": 0.0})
    writer.close(END)
    lab.refuses = lambda method, path: path.endswith("runs/update")
    delivery = delivery_of(folder, meta)
    while not delivery.is_done:
        with suppress(Unavailable):
            delivery.advance()
        clock.now += BELIEVED_SECONDS / 3
    assert lab.rows("endless") == [0]
    (letter,) = letters(tmp_path, "endless")
    assert (letter["event"], letter["status"], letter["why"]) == (
        "end",
        "FINISHED",
        "INVALID_PARAMETER_VALUE: not now",
    )
    assert not folder.exists()


def test_points_of_which_none_is_taken_wait_until_one_is(new_spool, client, tmp_path, clock, delivery_of):
    folder, meta, writer = new_spool(is_alive=True)
    for step in range(3):
        writer.points(step, 1000, {"../bad": 1.0})
    delivery = delivery_of(folder, meta)
    with pytest.raises(Unavailable, match="Invalid value"):
        delivery.advance()
    assert letters(tmp_path, meta.run_id) == []
    writer.points(3, 1000, {"good": 1.0})
    for _ in range(6):
        delivery.advance()
    writer.close(END)
    assert {letter["step"] for letter in letters(tmp_path, meta.run_id)} == {0, 1, 2}
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert run.data.metrics == {"good": 1.0}
    assert run.data.tags["grokscope.refused"].startswith("3; the last: Invalid value")


def test_a_run_of_which_no_point_is_ever_taken_is_left_with_the_reason(
    new_spool, tmp_path, clock, delivery_of
):
    folder, meta, writer = new_spool()
    for step in range(3):
        writer.points(step, 1000, {"../bad": 1.0})
    writer.close(END)
    delivery = delivery_of(folder, meta)
    for _ in range(3):
        with pytest.raises(Unavailable):
            delivery.advance()
        clock.now += BELIEVED_SECONDS
    assert (delivery.advance(), delivery.is_done) == (0, True)
    (stuck,) = backlogs(tmp_path / "home")
    assert "refuses the run (Invalid value" in stuck.stuck[0]
    assert letters(tmp_path, meta.run_id) == []


def test_time_is_not_what_a_machine_sleeps_through(new_spool, tmp_path, clock, delivery_of):
    """A laptop that was closed for an hour has asked twice."""
    folder, meta, writer = new_spool()
    writer.points(0, 1000, {"../bad": 1.0})
    writer.close(END)
    delivery = delivery_of(folder, meta)
    for _ in range(2):
        with pytest.raises(Unavailable):
            delivery.advance()
        clock.now += time.monotonic() + 3600
    assert not delivery.is_done
