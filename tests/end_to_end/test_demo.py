"""The main job as a user sees it: the demo trains, the live page moves by itself, every run gets its verdict.

The sweep is the whole one, trained once for all tests of this file; the dashboard is opened beside it
before the store exists. ``make screenshots`` runs this file with GROKSCOPE_SCREENSHOTS=docs/images.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page, expect

from grokscope.schemas import verdict_from_json

# Nothing on a page is waited for longer than a minute, and a test that hangs in spite of that ends too; the
# training has a time limit of its own.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]

# The marks of a chart: what Vega draws as lines.
LINES = "[data-testid=stVegaLiteChart] svg path"
SCREENSHOTS = os.environ.get("GROKSCOPE_SCREENSHOTS", "")
VIEWS = ("live", "runs", "compare", "interventions", "run", "measures", "health")
SEEN = {"runs": "canvas", "compare": "[data-domain]", "health": "[data-testid=stTable]"}


@dataclass
class Demo:
    """The demo's process and the dashboard's beside it."""

    store: str
    address: str
    training: "subprocess.Popen[str]"
    environment: dict[str, str]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "grokscope.cli.main", *arguments]


@pytest.fixture(scope="module")
def demo(tmp_path_factory, free_port, running) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    store, port = f"sqlite:///{folder}/mlflow.db", free_port()
    environment = {**os.environ, "GROKSCOPE_HOME": str(folder / "home")}
    up = command("up", "--store", store, "--port", str(port), "--no-browser")
    train = command("demo", "--headless", "--format", "json", "--store", store)
    with (
        (folder / "verdicts").open("w") as out,
        (folder / "progress").open("w") as progress,
        running(up, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        running(train, env=environment, stdout=out, stderr=progress, text=True) as training,
    ):
        yield Demo(store, f"http://localhost:{port}", training, environment)


@pytest.fixture(scope="module")
def finished(demo) -> Demo:
    """Give the demo once it has trained to its end."""
    assert demo.training.wait(timeout=400) == 0
    return demo


def drawn(page: Page) -> list[str]:
    return page.eval_on_selector_all(LINES, "paths => paths.map(p => p.getAttribute('d'))")


def test_the_live_page_draws_by_itself_while_the_demo_trains(demo, open_page, wait_until):
    page = open_page(f"{demo.address}/live")
    page.wait_for_selector(LINES)
    first = drawn(page)
    page.evaluate("window.untouched = true")
    wait_until(lambda: drawn(page) != first, seconds=60)
    assert demo.training.poll() is None, "the demo ended before the page was seen to move"
    assert page.evaluate("window.untouched"), "the page was loaded anew"
    charts = page.locator("[data-testid=stVegaLiteChart]")
    expect(charts.get_by_text("weight decay 1", exact=True).first).to_be_visible()
    if SCREENSHOTS:
        page.wait_for_timeout(20_000)  # a picture with some runs finished says more
        training = page.get_by_test_id("stMetric").filter(has_text=re.compile(r"Training now\s*[1-9]"))
        training.wait_for()  # and not the moment between two runs, nor their first points
        page.wait_for_timeout(2_500)
        screenshot(page, "live-training")


def test_every_run_of_the_demo_gets_its_verdict(finished):
    folder = Path(finished.store.removeprefix("sqlite:///")).parent
    lines = (folder / "verdicts").read_text().splitlines()
    verdicts = {v.run: v for v in map(verdict_from_json, lines)}
    client = MlflowClient(finished.store)
    runs = client.search_runs([client.get_experiment_by_name("modular-addition").experiment_id])
    assert verdicts.keys() == {run.info.run_id for run in runs}
    assert {run.info.status for run in runs} == {"FINISHED"}
    found = Counter((run.data.params["group"], run.data.tags["grokscope.pattern"]) for run in runs)
    assert found == {
        ("weight decay 1", "grokking"): 6,
        ("no weight decay", "memorization"): 3,
        ("25 % of the data", "memorization"): 3,
    }
    for run in runs:
        verdict = verdicts[run.info.run_id]
        onset = None if verdict.onset is None else str(verdict.onset.step)
        assert run.data.tags["grokscope.pattern"] == verdict.pattern
        assert run.data.tags.get("grokscope.onset_step") == onset
        assert (onset is None) == (verdict.pattern != "grokking")
        # What the live detector said while it trained: 2 is confirmed, nothing is no alarm.
        assert run.data.metrics.get("detector/generalization") == (None if onset is None else 2)
        path = client.download_artifacts(run.info.run_id, "grokscope/verdict.json", str(folder))
        assert json.loads(Path(path).read_text())["run"] == run.info.run_id


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_the_finished_sweep(finished, open_page, view, scheme):
    query = ""
    if view == "run":
        client = MlflowClient(finished.store)
        experiment = client.get_experiment_by_name("modular-addition").experiment_id
        runs = client.search_runs([experiment], "tags.`grokscope.pattern` = 'grokking'")
        query = f"?runs={runs[0].info.run_id}"
    page = open_page(f"{finished.address}/{view}{query}", scheme=scheme)
    page.wait_for_selector(SEEN.get(view, LINES))
    page.wait_for_timeout(2_000)  # until the last chart has found its size
    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
    assert page.url.startswith(f"{finished.address}/{view}")
    screenshot(page, f"{view}-{scheme}")


def test_compare_names_the_group_that_generalized_for_the_least_compute(finished, open_page):
    page = open_page(f"{finished.address}/compare")
    said = page.locator(".st-key-compare_answer")
    expect(said).to_contain_text("weight decay 1 comes first (6 of 6 runs generalized, median")
    expect(said).to_contain_text("None of the other 6 runs did. Next comes")


@pytest.mark.parametrize(
    ("button", "begins"),
    [("compare_curves_CSV", b"metric,step,value,run,group,seed"), ("compare_figure_SVG", b"<svg")],
)
def test_data_and_figure_of_a_chart_are_taken_along(finished, open_page, tmp_path, button, begins):
    page = open_page(f"{finished.address}/compare")
    page.wait_for_selector(SEEN["compare"])
    page.get_by_text("Data and figure").first.click()
    # A refresh that was under way when the section was opened puts a new file in the place of the first one.
    for _ in range(3):
        with page.expect_download() as download:
            page.locator(f".st-key-{button} button").click()
        if download.value.failure() is None:
            break
    download.value.save_as(tmp_path / "file")
    assert (tmp_path / "file").read_bytes().startswith(begins)


def test_ctrl_c_ends_the_demo_and_all_its_processes(demo, tmp_path, free_port, command_lines):
    """Started with its dashboard, as a user does; it must not leave a training run or a server behind."""
    port, store = free_port(), f"sqlite:///{tmp_path}/mlflow.db"
    process = subprocess.Popen(
        command("demo", "--store", store, "--port", str(port), "--no-browser"),
        env={**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home")},
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if f"http://localhost:{port}" in line:
            break
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    process.stderr.close()
    mine = {str(port), store, *(path.stem for path in (tmp_path / "home/runs").glob("*.json"))}
    left = [words for words in command_lines().values() if mine & {*words}]
    assert not [words for words in left if "grokscope.collectors.recording.ship" not in words]


def screenshot(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")
