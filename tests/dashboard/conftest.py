"""A real MLflow store with the runs that a dashboard has to cope with; pages drawn without a browser."""

import math
import shutil
import time
from functools import cache, lru_cache
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from grokscope.dashboard.state.session import StoreSession

STEPS = [*range(10), *range(10, 100, 10), *range(100, 2001, 25)]
MEMORIZED_AT, GENERALIZED_AT = 60, 800
EVIL = "![b](http://evil.example/x.png) [l](javascript:alert(1)) <img src=x onerror=alert(1)> :red[r] $x^2$"


def sigmoid(step, middle, width=0.12):
    return 1 / (1 + math.exp(-(math.log1p(step) - math.log1p(middle)) / width))


def curves(*, groks, until=2000):
    """Return the points of a run that memorizes at step 60 and, if it groks, generalizes at step 800."""
    rows = []
    for step in (s for s in STEPS if s <= until):
        train, test = sigmoid(step, MEMORIZED_AT), sigmoid(step, GENERALIZED_AT) if groks else 0.0
        values = {
            "train/accuracy": train,
            "test/accuracy": test,
            "train/loss": 4 * (1 - train) + 1e-4,
            "test/loss": 4 * (1 - test) + 1e-3,
            "weights/norm": 20 + step / 100,
            "weights/effective_rank/embedding": 40 - 10 * test,
        }
        rows += [(key, value, step) for key, value in values.items()]
    return rows


@pytest.fixture(name="curves", scope="session")
def _curves():
    """Points of a run: ``curves(groks=..., until=...)``."""
    return curves


class Training:
    """Writes runs into a store, as a tracker would."""

    def __init__(self, path):
        self.uri = f"sqlite:///{path}"
        self.client = MlflowClient(self.uri)

    def experiment(self, name):
        return self.client.create_experiment(name)

    def run(self, experiment, name, points, *, params=None, status="FINISHED", age_s=0):
        now = int((time.time() - age_s) * 1000)
        run_id = self.client.create_run(experiment, run_name=name, start_time=now).info.run_id
        stored = [Metric(key, value, now, step) for key, value, step in points]
        self.client.log_batch(run_id, params=[Param(k, str(v)) for k, v in (params or {}).items()])
        for start in range(0, len(stored), 1000):
            self.client.log_batch(run_id, metrics=stored[start : start + 1000])
        if status != "RUNNING":
            self.client.set_terminated(run_id, status, end_time=now)
        return run_id


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A store without a run; MLflow takes seconds to make one, so tests copy it."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def new_training(blank):
    """Make a fresh store at a path: ``new_training(path)``."""
    return lambda path: Training(shutil.copy(blank, path))


@pytest.fixture
def training(new_training, tmp_path):
    """A fresh store of the test's own."""
    return new_training(tmp_path / "mlflow.db")


@pytest.fixture(scope="session")
def sweep(new_training, tmp_path_factory):
    """Seven runs: three grok, two do not, one trains, one has fallen silent."""
    training = new_training(tmp_path_factory.mktemp("sweep") / "mlflow.db")
    experiment = training.experiment("sweep")
    shared = {"setting": "bridge", "compute.exposure.steps": 2000, "compute.scale.width": 128}
    for seed in range(3):
        training.run(
            experiment, f"decay {seed}", curves(groks=True), params={**shared, "group": "decay", "seed": seed}
        )
    for seed in range(2):
        training.run(
            experiment, f"none {seed}", curves(groks=False), params={**shared, "group": "none", "seed": seed}
        )
    extra = {**shared, "group": "decay"}
    training.run(
        experiment,
        "in training",
        curves(groks=True, until=500),
        params={**extra, "seed": 3},
        status="RUNNING",
        age_s=-3600,
    )
    training.run(
        experiment,
        "was killed",
        curves(groks=True, until=300),
        params={**extra, "seed": 4},
        status="RUNNING",
        age_s=900,
    )
    return training


ORDINARY = (
    "digits_noisy_labels",
    "digits_per_cent",
    "digits_stopped_early",
    "help_transformer",
    "sines_diverged",
)


@pytest.fixture(scope="session")
def logged():
    """Points of five ordinary trainings, as their own loops logged them."""
    path = Path(__file__).parents[1] / "data" / "ordinary.parquet"
    return pl.read_parquet(path).filter(pl.col("run").is_in(ORDINARY)).rename({"run": "run_id"})


@pytest.fixture(scope="session")
def ordinary(new_training, tmp_path_factory, logged):
    """A store with these trainings in one experiment."""
    training = new_training(tmp_path_factory.mktemp("ordinary") / "mlflow.db")
    experiment = training.experiment("ordinary")
    for name in ORDINARY:
        own = logged.filter(pl.col("run_id") == name).select("metric", "value", "step")
        training.run(experiment, name, own.rows())
    return training


def _page(view, source, experiment, runs, split):
    # AppTest runs this function's text as a script of its own: it has to bring what it needs.
    from importlib import import_module  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from grokscope.dashboard.state.data import Data  # noqa: PLC0415
    from grokscope.dashboard.state.selection import Selection  # noqa: PLC0415

    def open_view(name, chosen):
        st.session_state["opened"] = (name, list(chosen))

    source.expire()
    names = (experiment,) if isinstance(experiment, str) else tuple(experiment or ())
    selection = Selection(experiments=names, runs=tuple(runs), split=split)
    data = Data(source=source, selection=selection, open_view=open_view)
    import_module(f"grokscope.dashboard.views.{view}.page").render(data)


@pytest.fixture(scope="session", autouse=True)
def _installed_components():
    """Look once for components of installed packages, which is most of the time that an ``AppTest`` takes."""
    with pytest.MonkeyPatch.context() as patch:
        scan = manifest_scanner.scan_component_manifests
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(scan))
        yield


@pytest.fixture(scope="session")
def sessions():
    """The session of a store, which judges its runs once for all tests: ``sessions(uri)``."""
    return lru_cache(maxsize=4)(StoreSession)  # those of tests that are done are in nobody's way


@pytest.fixture
def page(sessions):
    """Draw one view on a store as it is now, without the router and without a browser."""

    def drawn(view, uri, *, experiment="sweep", runs=(), split=None):
        given = (view, sessions(uri), experiment, runs, split)
        app = AppTest.from_function(_page, args=given, default_timeout=60)
        app.run()
        assert not app.exception, app.exception
        return app

    return drawn


@pytest.fixture
def texts():
    """All that a page says, in the form in which Streamlit's markdown will read it."""

    def said(app):
        shown = ["title", "header", "subheader", "markdown", "caption", "warning", "error", "info"]
        return [element.value for kind in shown for element in app.get(kind)]

    return said
