"""The workbench beside the pages of MLflow and Trackio: the same runs, the same browser, by turns.

usage: python benchmarks/workbench.py FOLDER [--runs 1500] [--browser /usr/bin/chromium]

Made once in FOLDER: the runs, of four curves each, in a store of MLflow and in one of Trackio. A tool is
served anew, opened (cold: grokscope has no copy of the store yet), served and opened again (warm); then three
controls are clicked four times each, a chart is zoomed, a point a second is logged to a new run, and the page
is left alone. A tool that has drawn nothing within three minutes is left.
"""

import argparse
import shutil
import socket
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from pages.filling import EXPERIMENT, fill_mlflow, fill_trackio, runs
from pages.late import lags
from pages.looking import MOST_S, Eye, NothingDrawnError, idle, memory
from pages.tools import Tool, served, tools
from playwright.sync_api import Browser, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
IDLE_S = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=1500)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--only", help="one tool")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    frame = runs(asked.runs)
    store = fill_mlflow(frame, asked.folder)
    fill_trackio(frame, asked.folder)
    found = MlflowClient(store).get_experiment_by_name(EXPERIMENT)
    print("| page | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=FLAGS)
        for tool in tools(asked.folder, store, found.experiment_id):
            if asked.only in (None, tool.name):
                cells = _measured(tool, browser, asked.folder, store)
                print(
                    f"| {tool.name} | " + " | ".join(cells.get(name, "—") for name in COLUMNS) + " |",
                    flush=True,
                )


COLUMNS = (
    "first chart cold, s",
    "warm, s",
    "control p50 (p95), s",
    "zoom p50 (p95), ms",
    "logged → drawn p50 (p95), s",
    "idle: paints a minute",
    "idle: % of a core",
    "server, MB",
)


def _measured(tool: Tool, browser: Browser, folder: Path, store: str) -> dict[str, str]:
    shutil.rmtree(folder / "home", ignore_errors=True)
    cells: dict[str, str] = {}
    try:
        for name in COLUMNS[:2]:
            with served(tool, _free_port()) as (address, server):
                eye = Eye.opened(browser, tool.chart)
                cells[name] = f"{eye.first_chart(address + tool.address):.1f}"
                idle(eye, server, 1)
                if name == COLUMNS[1]:
                    _worked(tool, eye, cells)
                    rest = idle(eye, server, IDLE_S)
                    cells[COLUMNS[5]], cells[COLUMNS[6]] = str(rest.paints), f"{100 * rest.core:.1f}"
                    cells[COLUMNS[7]] = f"{memory(server):.0f}"
                    late = lags(tool, eye, address, folder, store)
                    cells[COLUMNS[4]] = _spread(late, "{:.1f}")
                eye.page.close()
    except NothingDrawnError:
        cells.setdefault(COLUMNS[0], f"none within {MOST_S:.0f}")
    return cells


def _worked(tool: Tool, eye: Eye, cells: dict[str, str]) -> None:
    controls = tool.controls(eye.page)
    cells[COLUMNS[2]] = _spread([eye.change(one.click) for _ in range(4) for one in controls], "{:.2f}")
    zooms = [eye.change(lambda: tool.zoom(eye.page, eye.page.locator(tool.chart).first)) for _ in range(12)]
    cells[COLUMNS[3]] = _spread([None if one is None else 1000 * one for one in zooms], "{:.0f}")


def _spread(values: list[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "nothing is drawn"
    missing = (
        f", {len(values) - len(known)} of {len(values)} without effect" if len(known) < len(values) else ""
    )
    return f"{form.format(np.median(known))} ({form.format(np.quantile(known, 0.95))}){missing}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
