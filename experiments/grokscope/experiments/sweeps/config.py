"""A sweep as a file describes it: TOML, JSON or YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.sweeps.cells.space import MOST_RUNS, group_of, settings_of, varied_names
from grokscope.experiments.sweeps.checks import (
    ConfigError,
    check_distinct,
    check_known,
    filled_list,
    number,
    table,
    text,
    whole,
)
from grokscope.experiments.sweeps.files import content_of_file
from grokscope.experiments.sweeps.programs import command_of, experiment_named, fitted, program_of
from grokscope.experiments.training.run import StopRule
from grokscope.schemas import Kind
from grokscope.schemas.limits import EXPERIMENT_COLUMN_LENGTH
from grokscope.schemas.secrets import redacted

_KEYS = (
    "train", "command", "experiment", "store", "seeds", "workers", "settings", "grid", "random", "cells",
    "stop",
)  # fmt: skip
_MOST_WORKERS = 4096
_MOST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """A sweep.

    Attributes:
        cells: One a run, every cell with its first seed first.
        experiment: Name of the MLflow experiment.
        store: MLflow tracking URI, if the file names one.
        workers: Runs at a time, if the file says.
    """

    cells: tuple[Cell, ...]
    experiment: str
    store: str | None = None
    workers: int | None = None


def read_config(path: Path) -> SweepConfig:
    """Return the sweep that a file describes.

    Raises:
        ConfigError: If it is not there, cannot be read, or says what cannot be meant.
    """
    try:
        return config_of(content_of_file(path), name=path.stem)
    except ConfigError as error:
        raise ConfigError(f"{path}: {redacted(str(error))}") from error


def config_of(told: Mapping[str, Any], *, name: str) -> SweepConfig:
    """Return the sweep that the keys of a file describe.

    Args:
        told: Its keys.
        name: Of the MLflow experiment, unless they say.

    Raises:
        ConfigError: If they say what cannot be meant.

    >>> told = {"command": ["train", "{lr}", "{seed}"], "grid": {"lr": [1, 2]}, "seeds": 2}
    >>> [(cell.group, cell.command) for cell in config_of(told, name="e").cells][:3]
    [('lr=1', ('train', '1', '0')), ('lr=2', ('train', '2', '0')), ('lr=1', ('train', '1', '1'))]
    """
    check_known(told, _KEYS, what="key of a sweep")
    seeds = _seeds(told.get("seeds", 1))
    experiment = text(told.get("experiment", name), what="experiment")
    if len(experiment) > EXPERIMENT_COLUMN_LENGTH:
        raise ConfigError(f"experiment has at most {EXPERIMENT_COLUMN_LENGTH} characters")
    store, workers = told.get("store"), told.get("workers")
    if workers is not None:
        workers = whole(workers, what="workers", least=1, most=_MOST_WORKERS)
    return SweepConfig(
        cells=_cells(told, experiment, seeds),
        experiment=experiment,
        store=None if store is None else text(store, what="store"),
        workers=workers,
    )


def _cells(told: Mapping[str, Any], experiment: str, seeds: Sequence[int]) -> tuple[Cell, ...]:
    program = program_of(told)
    settings = fitted(program, settings_of(told), seeds=seeds)
    check_distinct([dict(sorted(each.items())) for each in settings], what="the sweep")
    if (count := len(settings) * len(seeds)) > MOST_RUNS:
        raise ConfigError(f"a sweep has at most {MOST_RUNS:,} runs, got {count:,}")
    stop = _stop(told["stop"], is_ours=program.is_ours) if "stop" in told else None
    steps = experiment_named(program.train).recipe().steps if program.is_ours else 0
    varied = varied_names(told)
    return tuple(
        Cell(
            experiment=experiment,
            group=group_of(each, varied, otherwise=experiment),
            seed=seed,
            settings=each,
            train=program.train,
            command=command_of(program, each, seed),
            stop=stop,
            steps=cast("int", each.get("steps", steps)) if program.is_ours else 0,
        )
        for seed in seeds
        for each in settings
    )


def _seeds(value: object) -> list[int]:
    if not isinstance(value, list):
        return list(range(whole(value, what="seeds, if no list,", least=1, most=MOST_RUNS)))
    seeds = [
        whole(each, what="each seed", least=0, most=_MOST_SEED)
        for each in filled_list(cast("object", value), what="seeds")
    ]
    check_distinct(seeds, what="seeds")
    return seeds


def _stop(value: object, *, is_ours: bool) -> StopRule:
    if not is_ours:
        raise ConfigError(
            "stop is for experiments that come with grokscope, whose loop asks for it; remove it, and stop "
            "in your own loop when tracker.events says so"
        )
    told = table(value, what="stop")
    check_known(told, ("after", "factor"), what="key of stop")
    after = text(told.get("after"), what="after of stop")
    check_known([after], list(Kind), what="kind of event")
    factor = number(told.get("factor", 1.5), what="factor of stop")
    if factor < 1:
        raise ConfigError(f"factor of stop is 1 or more, got {factor}")
    return StopRule(after=Kind(after), factor=float(factor))
