"""Further runs of a sweep, where somebody who knows what its runs did says that another one tells most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.sweeps.cells.space import varied_names
from grokscope.experiments.sweeps.checks import ConfigError
from grokscope.experiments.sweeps.config import SweepConfig, config_of
from grokscope.experiments.sweeps.files import content_of_file
from grokscope.schemas.runs.description import Value
from grokscope.schemas.secrets import redacted

_TWO = 2
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A run to train next.

    Attributes:
        settings: Its values of the two settings that vary.
        seeds: Those with which its cell has been trained.
        sentence: Why there.
    """

    settings: Mapping[str, float]
    seeds: frozenset[int]
    sentence: str


class Suggester(Protocol):
    """Knows what the runs of a sweep did."""

    def __call__(self, planned: SweepConfig, names: tuple[str, str]) -> Sequence[Suggestion]:
        """Return where another run tells most, the most telling first.

        Args:
            planned: The sweep.
            names: The two settings that vary in it.
        """
        ...


def further_runs(path: Path, suggest: Suggester) -> tuple[SweepConfig, list[str]]:
    """Return the sweep of a file with suggested runs in place of its own, and why each is there.

    A value that the sweep has is taken as it stands in the file, so that a run lies in the cell that is
    there. Its seed is the first that the cell has neither been trained with nor has in the file.

    Raises:
        ConfigError: If the file cannot be read, or its cells do not differ in two numbers.
    """
    told = content_of_file(path)
    try:
        planned = config_of(told, name=path.stem)
        first, second = _two(planned, varied_names(told))
        cells, sentences = list[Cell](), list[str]()
        for suggestion in suggest(planned, (first, second)):
            near = {
                name: _as_written(value, name, planned.cells) for name, value in suggestion.settings.items()
            }
            seed = _next_seed(near, suggestion.seeds, [*planned.cells, *cells])
            cells.append(_cell(told, near, seed, name=path.stem))
            sentences.append(f"{suggestion.sentence} Seed {seed}.")
    except ConfigError as error:
        raise ConfigError(f"{path}: {redacted(str(error))}") from error
    return replace(planned, cells=tuple(cells)), sentences


def _two(planned: SweepConfig, varied: Sequence[str]) -> tuple[str, str]:
    """Return the settings in which cells differ."""
    differ = [name for name in varied if len({str(cell.settings.get(name)) for cell in planned.cells}) > 1]
    values = [cell.settings.get(name) for cell in planned.cells for name in differ]
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if len(differ) != _TWO or not are_numbers:
        raise ConfigError(
            "runs are suggested between two settings that are numbers; cells of this sweep differ in "
            f"{', '.join(differ) or 'none'}"
        )
    return differ[0], differ[1]


def _as_written(value: float, name: str, cells: Sequence[Cell]) -> Value:
    """Return a value as the sweep has it; one that it does not have as a person would write it."""
    known = [each for cell in cells if isinstance(each := cell.settings[name], int | float)]
    same = next((each for each in known if each == value), None)
    if same is not None:
        return same
    return round(value) if all(isinstance(each, int) for each in known) else float(f"{value:.{_DIGITS}g}")


def _next_seed(settings: Mapping[str, Value], trained: frozenset[int], cells: Sequence[Cell]) -> int:
    planned = {cell.seed for cell in cells if settings.items() <= cell.settings.items()}
    taken = planned | trained
    return next(seed for seed in range(len(taken) + 1) if seed not in taken)


def _cell(told: Mapping[str, Any], settings: Mapping[str, Value], seed: int, *, name: str) -> Cell:
    """Return the cell of the sweep with these settings."""
    first = config_of({**told, "seeds": 1}, name=name).cells[0]
    # What has one value in the grid stands in the names of groups, too.
    cell = {varied: settings.get(varied, first.settings[varied]) for varied in varied_names(told)}
    fixed = {key: value for key, value in told.items() if key not in ("grid", "random", "cells")}
    return config_of({**fixed, "cells": [cell], "seeds": [seed]}, name=name).cells[0]
