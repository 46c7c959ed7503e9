"""A user's hands on the app, counted, and a store with real runs of two experiments that were recorded."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from playwright.sync_api import Locator, Page, expect

DATA = Path(__file__).parents[3] / "tests" / "data"
DIGITS = (("digits_few", "digits_lost"), ("digits_bad_start",))
"""The runs of two logs, the second one newer: a run without times has those of its log."""
ROW = 36


@dataclass
class Hands:
    """What a user does on one page: every click, key and entry counts one."""

    page: Page
    address: str
    done: int = 0

    def begin(self, experiment: str) -> Page:
        """Open the app where it opens, with an experiment; nothing is done yet."""
        self.page.goto(f"{self.address}/?experiment={experiment}")
        expect(self.page).to_have_url(re.compile("/live[?]"))
        expect(self.page.get_by_label("Experiment", exact=True).first).to_have_value(experiment)
        self.done = 0
        return self.page

    def _next(self) -> None:
        """Look at what the last one has brought, then do one more."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.done += 1

    def click(self, what: Locator) -> None:
        self._next()
        what.click()

    def press(self, name: str) -> None:
        """Press the button of this name."""
        self.click(self.page.get_by_role("button", name=name, exact=True).first)

    def pick(self, name: str) -> None:
        """Take one of a few that stand side by side."""
        self.click(self.page.get_by_role("radio", name=name, exact=True).first)

    def open(self, name: str) -> None:
        """Open a page by the menu."""
        self.click(self.page.locator(".st-key-menu").get_by_role("link", name=name, exact=True))
        expect(self.page).to_have_url(re.compile(f"/{name.lower()}[?]"))

    def enter(self, label: str, text: str) -> None:
        """Write into a field."""
        self._next()
        self.page.get_by_label(label, exact=True).first.fill(text)

    def key(self, name: str) -> None:
        """Press a key."""
        self._next()
        self.page.keyboard.press(name)

    def choose(self, label: str, option: str) -> None:
        """Open a list and take one of it."""
        self.click(self.page.get_by_role("combobox", name=label).first)
        self.click(self.page.get_by_role("option", name=option, exact=True))

    def tick(self, table: str, row: int, *, all_between: bool = False) -> None:
        """Tick a row of a table, which is drawn on a canvas, or all between the last and it."""
        self._next()
        grid = self.page.locator(f"[class*=st-key-{table}]").first.get_by_test_id("stDataFrame")
        grid.locator("canvas").first.wait_for()
        at = {"x": 17, "y": ROW * (row + 1) + ROW // 2}
        grid.click(position=at, modifiers=["Shift"] if all_between else [])

    def cells(self, place: int) -> Locator:
        """Return the cells of a table by its place on the page, as who cannot see the canvas is told them."""
        table = self.page.get_by_test_id("stDataFrame").nth(place)
        table.scroll_into_view_if_needed()
        return table.locator("canvas [role=gridcell]")


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> MlflowClient:
    """A store with a sweep of thirty runs, ten of which grok, and three on digits: one collapses."""
    folder = tmp_path_factory.mktemp("recorded")
    store = f"sqlite:///{folder}/mlflow.db"
    ordinary = pl.read_parquet(DATA / "ordinary.parquet")
    logs = [(DATA / "sweep.parquet", "sweep")]
    for day, runs in enumerate(DIGITS):
        log = folder / f"{runs[0]}.parquet"
        ordinary.filter(pl.col("run").is_in(runs)).write_parquet(log)
        os.utime(log, (time.time(), time.time() + 86400 * (day - len(DIGITS))))
        logs.append((log, "digits"))
    for log, experiment in logs:
        command = [sys.executable, "-m", "grokscope.cli.main", "import", str(log), "--store", store]
        subprocess.run([*command, "--experiment", experiment], check=True, capture_output=True)
    client = MlflowClient(store)
    run = run_of(client, "digits", "digits_bad_start")
    client.set_tag(run, "mlflow.source.git.commit", "0d714b0aa1f5")
    client.log_batch(run, metrics=[Metric("system/cpu_utilization_percentage", 41.5, 1, 0)])
    return client


def run_of(client: MlflowClient, experiment: str, name: str) -> str:
    """Return the id of the run of this name."""
    number = client.get_experiment_by_name(experiment).experiment_id
    (run,) = client.search_runs([number], f"attributes.run_name = '{name}'")
    return run.info.run_id


@pytest.fixture(scope="module")
def address(recorded, tmp_path_factory, dashboard) -> Iterator[str]:
    """The dashboard on this store."""
    with dashboard(recorded.tracking_uri, tmp_path_factory.mktemp("home")) as served:
        yield served


@pytest.fixture(scope="module")
def hands(address, open_page) -> Hands:
    return Hands(open_page(f"{address}/health"), address)
