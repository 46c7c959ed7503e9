"""``grokscope demo``: train the demo sweep, watch it live, and see what the engine finds."""

import time
import webbrowser
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.ports import choose_port
from grokscope.cli.runs.finished import FinishedRuns
from grokscope.cli.runs.requirements import require_store, require_torch
from grokscope.cli.server import dashboard
from grokscope.cli.terminal import progress, say, say_json
from grokscope.cli.verdict_table import say_verdicts
from grokscope.experiments import Cell, LocalEngine, Outcome, Progress, run_sweep
from grokscope.experiments.demo import demo_cells
from grokscope.schemas import GrokscopeError, Verdict, store_uri, verdict_to_json
from grokscope.schemas.secrets import redacted

_DETECTOR = "grokscope.transitions:LiveDetector"


class DemoError(GrokscopeError):
    """A run of the demo failed."""


def demo(
    *,
    store: options.Store = None,
    headless: Annotated[bool, typer.Option("--headless", help="Train only; no dashboard.")] = False,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table at the end, or one JSON verdict a line.")
    ] = options.Format.TABLE,
    port: options.Port = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    experiment: Annotated[str, typer.Option(help="Experiment to train into.")] = "modular-addition",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time. Default: the number of cores.")
    ] = None,
) -> None:
    """Train twelve small networks, live: six grok, six only memorize. Takes about two minutes.

    Modular addition on half of the table with weight decay (groks), without weight decay, and on a quarter
    of the table (both memorize only). Each run's verdict is written to its MLflow run: tags and an artifact.

    Example: grokscope demo --workers 2
    """
    require_torch()
    uri = store_uri(store)
    require_store(uri)
    finished = FinishedRuns(uri, experiment)
    chosen = None if headless else choose_port(port)
    page = nullcontext() if chosen is None else dashboard(uri, port=chosen)
    with page as running:
        if chosen is not None:
            address = f"http://localhost:{chosen}"
            say(f"watch it live: {address}", err=True)
            if browser:
                webbrowser.open(address)
        verdicts: list[Verdict] = []
        for verdict in _train(demo_cells(experiment), finished, workers):
            verdicts.append(verdict)
            if output is options.Format.JSON:
                say_json(verdict_to_json(verdict))
        if output is options.Format.TABLE:
            say_verdicts(verdicts, finished.names)
        if running is not None:
            stays = "" if running.has_ended else "; the dashboard stays, Ctrl-C ends it"
            say(f"all runs are in {redacted(uri)}{stays}", err=True)
            running.wait_for_end()


def _train(cells: list[Cell], finished: FinishedRuns, workers: int | None) -> Iterator[Verdict]:
    """Train ``cells`` with a progress bar on stderr; yield each run's verdict once the run is whole."""
    steps: dict[str, int] = {}
    failed: list[Progress] = []
    with progress() as bar:
        task = bar.add_task("training", total=sum(cell.steps for cell in cells))
        for news in run_sweep(cells, store=finished.uri, engine=LocalEngine(workers), detector=_DETECTOR):
            steps[news.run_id] = max(news.step, steps.get(news.run_id, 0))
            bar.update(task, completed=sum(steps.values()), description=f"training {news.cell.group}")
            if news.outcome is Outcome.FINISHED:
                finished.add(news.run_id)
            elif news.outcome is Outcome.FAILED:
                failed.append(news)
            yield from finished.verdicts()
        bar.update(task, description="waiting for the last points")
        while finished.waiting:
            time.sleep(0.2)
            yield from finished.verdicts()
    if failed:
        first = failed[0]
        raise DemoError(
            f"{len(failed)} of {len(cells)} runs failed; the first, {first.cell.group} with seed "
            f"{first.cell.seed}, ended with status {first.code}: {first.error}"
        )
