"""Experiments trained here, arm by arm, and judged as their runs end."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from grokscope.cli.experiments.results import ArmResult
from grokscope.cli.runs.finished import FinishedRuns, LatePointsError
from grokscope.cli.runs.stored import stored_runs
from grokscope.cli.terminal import progress, say
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.sweeps.cells.arms import cells_of_arms
from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.sweeps.engine import Outcome, Progress
from grokscope.experiments.sweeps.ledger import Ledger
from grokscope.experiments.sweeps.local import LocalEngine
from grokscope.experiments.sweeps.sweep import run_sweep
from grokscope.schemas import home

_BETWEEN_LOOKS_S = 0.2
_PATIENCE_S = 600.0


def trained_arms(
    experiments: Iterable[Experiment], *, store: str, workers: int | None, seeds: int | None
) -> list[ArmResult]:
    """Train every arm of ``experiments``, each in an MLflow experiment of its name; return what they did.

    Runs that were trained before with the same settings are not trained again, and are judged anew.

    Args:
        experiments: What to train.
        store: MLflow tracking URI.
        workers: Runs at a time; the number of cores by default.
        seeds: At most so many runs an arm; all by default.
    """
    chosen = [one if seeds is None else _with_seeds(one, seeds) for one in experiments]
    results = {
        (one.name, arm.group): ArmResult(experiment=one, arm=arm) for one in chosen for arm in one.arms
    }
    cells = [cell for one in chosen for cell in cells_of_arms(one)]
    judges = {one.name: FinishedRuns(store, one.name, patience_s=_PATIENCE_S) for one in chosen}
    ledger = Ledger(home(), store, stored=partial(stored_runs, store, list(judges)))
    trained: dict[str, Cell] = {}
    with progress() as bar:
        task = bar.add_task("training", total=len(cells))
        for news in run_sweep(cells, store=store, engine=LocalEngine(workers), ledger=ledger):
            bar.update(task, description=f"training {news.cell.experiment}")
            if news.outcome is Outcome.FAILED:
                _say_failed(news)
                results[_key(news.cell)].failed += 1
            elif news.outcome is not None:
                trained[news.run_id] = news.cell
                judges[news.cell.experiment].add(news.run_id)
            bar.advance(task, 0 if news.outcome is None else 1)
            if news.outcome is not Outcome.EARLIER:  # these are in the store by now, and are judged together
                for judge in judges.values():
                    with suppress(LatePointsError):  # a store that is away now does not end the training
                        _judge(judge, trained, results)
        bar.update(task, description="waiting for the last points")
        while waiting := [judge for judge in judges.values() if judge.waiting]:
            for judge in waiting:
                _judge(judge, trained, results)
            time.sleep(_BETWEEN_LOOKS_S)
    return list(results.values())


def _judge(
    judge: FinishedRuns, trained: Mapping[str, Cell], results: Mapping[tuple[str, str], ArmResult]
) -> None:
    """Note the verdicts of the runs that have arrived since the last call."""
    for verdict in judge.verdicts():
        result = results[_key(trained[judge.client_run_ids[verdict.run]])]
        result.verdicts.append(verdict)
        result.seconds.append(judge.seconds[verdict.run])


def _key(cell: Cell) -> tuple[str, str]:
    return cell.experiment, cell.group


def _with_seeds(experiment: Experiment, most: int) -> Experiment:
    arms = tuple(replace(arm, seeds=min(arm.seeds, most)) for arm in experiment.arms)
    return replace(experiment, arms=arms)


def _say_failed(news: Progress) -> None:
    cell = news.cell
    say(
        f"{cell.experiment}, {cell.group}, seed {cell.seed} ended with status {news.code}: {news.error}",
        err=True,
    )
