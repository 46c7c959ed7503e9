"""What our tracker has logged looks right to people who open MLflow's own pages."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from grokscope.store import open_store

_TRAINER = """
import torch
from grokscope.collectors import Tracker

model = torch.nn.Linear(2, 1)
config = {"intervention.protocol.lr": 0.125}
with Tracker(model, torch.optim.SGD(model.parameters(), lr=0.125), experiment="for MLflow's pages",
             name="a run of ours", config=config) as tracker:
    for step in range(50):
        tracker.log(step, {"train/loss": 1 / (step + 1), "test/accuracy": step / 49})
"""
_DRAWN_LINE = ".js-plotly-plot path.js-line"


@pytest.fixture(scope="module")
def tracked(server, tmp_path_factory, wait_until):
    """Log a run with our tracker; give its experiment's and its own id when it has arrived."""
    home = tmp_path_factory.mktemp("tracked")
    told = {**os.environ, "GROKSCOPE_HOME": str(home), "MLFLOW_TRACKING_URI": server}
    subprocess.run([sys.executable, "-c", _TRAINER], check=True, env=told, cwd=home, timeout=120)
    store = open_store(server)
    runs = wait_until(
        lambda: _listed(store).filter(status="FINISHED").rows(named=True), why=lambda: _listed(store)
    )
    numbers = dict(store.experiments().select("name", "experiment_id").iter_rows())
    return numbers["for MLflow's pages"], runs[0]["run_id"]


def _listed(store):
    return store.runs().filter(experiment="for MLflow's pages")


@pytest.mark.browser
def test_mlflows_pages_show_its_name_its_end_its_params_and_its_curves(server, tracked, open_page):
    address = "{}/#/experiments/{}/runs/{}".format(server, *tracked)
    page = open_page(f"{address}/model-metrics")
    page.wait_for_selector(_DRAWN_LINE, state="attached")
    page.goto(address)
    for text in ("a run of ours", "Finished", "test/accuracy", "intervention.protocol.lr", "0.125"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
