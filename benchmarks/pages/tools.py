"""The pages that are compared, each on the same runs: how it is served, opened, zoomed, logged to."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page

from pages.filling import EXPERIMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A page of curves.

    Attributes:
        name: Of the tool.
        command: What serves it; ``{port}`` stands for the port.
        address: Of the page with curves of all or the first runs, without host; so for ``live``, of one run.
        chart: Selector of a chart.
        controls: What changes the charts: each is clicked in turn, and again.
        zoom: Zooms into a chart.
        environment: Beside this process's own.
    """

    name: str
    command: Sequence[str]
    address: str
    live: str
    chart: str
    controls: Callable[[Page], Sequence[Locator]]
    zoom: Callable[[Page, Locator], None]
    environment: dict[str, str]


def tools(folder: Path, store: str, experiment_id: str) -> list[Tool]:
    """Return the tools, grokscope first."""
    return [_ours(folder, store), _mlflow(store, experiment_id), _trackio(folder)]


def _ours(folder: Path, store: str) -> Tool:
    return Tool(
        name="grokscope",
        command=["-m", "grokscope.cli.main", "up", "--store", store, "--port", "{port}", "--no-browser"],
        address=f"/compare?experiment={EXPERIMENT}",
        live=f"/live?experiment={EXPERIMENT}",
        chart=".linked-charts canvas",
        controls=_our_controls,
        zoom=_wheel,
        environment={"GROKSCOPE_HOME": str(folder / "home")},
    )


def _mlflow(store: str, experiment_id: str) -> Tool:
    return Tool(
        name="MLflow",
        command=[
            "-m",
            "mlflow",
            "server",
            "--backend-store-uri",
            store,
            "--workers",
            "1",
            "--port",
            "{port}",
        ],
        address=f"/#/experiments/{experiment_id}/runs?compareRunsMode=CHART",
        live=f"/#/experiments/{experiment_id}/runs/{{run}}/model-metrics",
        chart=".js-plotly-plot .scatterlayer path.js-line",
        controls=_mlflow_controls,
        zoom=_drag,
        environment={"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )


def _trackio(folder: Path) -> Tool:
    return Tool(
        name="Trackio",
        command=["-c", _SHOW],
        address=f"/?project={EXPERIMENT}",
        live=f"/?project={EXPERIMENT}",
        chart=".vega-embed canvas, .vega-embed svg, canvas.marks",
        controls=_trackio_controls,
        zoom=_drag,
        environment={"TRACKIO_DIR": str(folder / "trackio"), "BENCH_PORT": "{port}"},
    )


_SHOW = (
    "import os, trackio; trackio.show(open_browser=False, block_thread=True, "
    "server_port=int(os.environ['BENCH_PORT']))"
)


def _our_controls(page: Page) -> Sequence[Locator]:
    rows = page.locator(".st-key-rail_groups label")
    return [rows.nth(place) for place in (0, 1, 2)]


def _mlflow_controls(page: Page) -> Sequence[Locator]:
    eyes = page.locator("label:has(.is-visibility-toggle-checkbox)")
    return [eyes.nth(place) for place in (2, 3, 4)]


def _trackio_controls(page: Page) -> Sequence[Locator]:
    rows = page.get_by_role("checkbox")
    return [rows.nth(place) for place in (3, 4, 5)]


def _wheel(page: Page, chart: Locator) -> None:
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.wheel(0, -60)


def _drag(page: Page, chart: Locator) -> None:
    box = chart.locator("xpath=ancestor-or-self::*[contains(@class, 'js-plotly-plot')]").or_(chart).first
    box = box.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"], steps=3)
    page.mouse.up()


@contextmanager
def served(tool: Tool, port: int) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a tool while a block lasts; give its address and its process."""
    command = [word.format(port=port) if "{port}" in word else word for word in tool.command]
    extra = {name: value.format(port=port) for name, value in tool.environment.items()}
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}" if tool.name == "grokscope" else f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address, psutil.Process(process.pid)
    finally:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.kill()
        process.wait()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing answers at {address} within two minutes") from None
            time.sleep(0.1)
