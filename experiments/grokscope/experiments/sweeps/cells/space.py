"""The settings of a sweep: fixed ones, and a grid, random draws or given cells of those that vary."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random
from typing import Any, cast

from grokscope.experiments.sweeps.checks import (
    ConfigError,
    as_text,
    check_distinct,
    check_known,
    filled_list,
    number,
    setting_value,
    shown,
    table,
    whole,
    without,
)
from grokscope.schemas.runs.description import Value

MOST_RUNS = 100_000
_KINDS = ("grid", "random", "cells")
_TRIES = 100
_DIGITS = 4
_RANGE = ("low", "high", "log")
_OF_DRAWS = ("runs", "seed")
Settings = dict[str, Value]


def settings_of(told: Mapping[str, Any]) -> list[Settings]:
    """Return the settings of each cell, without seeds, in the order in which they are trained.

    Args:
        told: The sweep's ``settings`` and one of ``grid``, ``random`` and ``cells``.

    Raises:
        ConfigError: If they are not what they must be.

    >>> settings_of({"settings": {"steps": 10}, "grid": {"lr": [0.1, 0.2]}})
    [{'steps': 10, 'lr': 0.1}, {'steps': 10, 'lr': 0.2}]
    """
    given = [kind for kind in _KINDS if kind in told]
    if len(given) > 1:
        raise ConfigError(f"a sweep has one of {', '.join(_KINDS)}, got {' and '.join(given)}; remove one")
    fixed = _values(told.get("settings", {}), what="settings")
    if not given:
        return [fixed]
    expand = {"grid": _grid, "random": _random, "cells": _cells}[given[0]]
    return [fixed | varied for varied in expand(told[given[0]], fixed)]


def varied_names(told: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings in a sweep's ``grid``, ``random`` or ``cells``, which name its groups.

    A name with one value is among them: its group is called the same once there are more.

    Args:
        told: What ``settings_of`` has taken.

    >>> varied_names({"settings": {"steps": 10}, "grid": {"lr": [0.1], "width": [4, 8]}})
    ['lr', 'width']
    """
    if "cells" in told:
        return list(dict.fromkeys(name for cell in told["cells"] for name in cell))
    if "random" in told:
        return [name for name in told["random"] if name not in _OF_DRAWS]
    return list(told.get("grid", {}))


def group_of(settings: Settings, varied: Sequence[str], *, otherwise: str) -> str:
    """Return what runs of one cell share in words: the settings that stand in grid, random or cells.

    >>> group_of({"lr": 0.001, "weight_decay": 0.1, "steps": 5}, ["lr", "weight_decay"], otherwise="e")
    'lr=0.001, weight_decay=0.1'
    """
    return ", ".join(f"{name}={as_text(settings[name])}" for name in varied if name in settings) or otherwise


def _values(value: object, *, what: str) -> Settings:
    names = table(value, what=what)
    if "seed" in names:
        raise ConfigError(f"{what} cannot hold 'seed', which every run has; write seeds = 3, or a list")
    return {name: setting_value(each, what=name) for name, each in names.items()}


def _grid(value: object, fixed: Settings) -> list[Settings]:
    choices = {name: _choices(each, name) for name, each in _varied(value, fixed, "grid").items()}
    count = math.prod(map(len, choices.values()))
    if count > MOST_RUNS:
        raise ConfigError(f"the grid has {count:,} cells, and a sweep at most {MOST_RUNS:,} runs")
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def _random(value: object, fixed: Settings) -> list[Settings]:
    told = dict(table(value, what="random"))
    if "runs" not in told:
        raise ConfigError("random needs runs, the number of cells to draw; write runs = 20 in it")
    runs = whole(told.pop("runs"), what="runs of random", least=1, most=MOST_RUNS)
    draw = Random(whole(told.pop("seed", 0), what="seed of random", least=0, most=2**32 - 1))  # noqa: S311
    space = {name: _space(each, name) for name, each in _varied(told, fixed, "random").items()}
    cells: dict[str, Settings] = {}
    in_vain = 0
    while in_vain <= _TRIES * (len(cells) + 1):
        # In the order of their names: how the file lists them changes nothing.
        cell = {name: _drawn(space[name], draw) for name in sorted(space)}
        in_vain = in_vain + 1 if repr(cell) in cells else 0
        cells.setdefault(repr(cell), {name: cell[name] for name in space})
        if len(cells) == runs:
            return list(cells.values())
    raise ConfigError(f"random draws {len(cells)} different cells at most, got runs = {runs}; ask for fewer")


def _cells(value: object, fixed: Settings) -> list[Settings]:
    given = filled_list(value, what="cells")
    cells = [_values(each, what="a cell") for each in given]
    for cell in cells:
        without(cell, taken=fixed, what="a cell")
    check_distinct([dict(sorted(cell.items())) for cell in cells], what="cells")
    return cells


def _varied(value: object, fixed: Settings, what: str) -> dict[str, Any]:
    names = table(value, what=what)
    if not names:
        raise ConfigError(f"{what} is empty; name a setting in it, such as lr = [0.001, 0.01]")
    without(names, taken=fixed, what=f"[{what}]")
    if "seed" in names:
        raise ConfigError(f"{what} cannot hold 'seed', which every run has; write seeds = 3, or a list")
    return names


def _choices(value: object, name: str) -> list[Value]:
    values = [setting_value(each, what=f"each {name}") for each in filled_list(value, what=name)]
    check_distinct(values, what=name)
    return values


def _space(value: object, name: str) -> list[Value] | tuple[int | float, int | float, bool]:
    if not isinstance(value, dict):
        return _choices(value, name)
    told = table(cast("object", value), what=name)
    check_known(told, _RANGE, what=f"key of the range {name}")
    if not {"low", "high"} <= told.keys():
        raise ConfigError(f"a range has low and high, got {shown(told)} for {name}")
    low, high = (number(told[end], what=f"{end} of {name}") for end in ("low", "high"))
    is_log = told.get("log", False)
    if not isinstance(is_log, bool):
        raise ConfigError(f"log of {name} is true or false, got {shown(is_log)}")
    if not low < high:
        raise ConfigError(f"low of {name} is below its high, got {low} and {high}")
    if is_log and low <= 0:
        raise ConfigError(f"low of {name} is above 0 where log = true, got {low}")
    return low, high, is_log


def _drawn(space: list[Value] | tuple[int | float, int | float, bool], draw: Random) -> Value:
    if isinstance(space, list):
        return draw.choice(space)
    low, high, is_log = space
    is_whole = isinstance(low, int) and isinstance(high, int)
    if is_whole and not is_log:
        return draw.randint(int(low), int(high))
    value = math.exp(draw.uniform(math.log(low), math.log(high))) if is_log else draw.uniform(low, high)
    # So many digits as a person reads in the name of a group.
    rounded = round(value) if is_whole else float(f"{value:.{_DIGITS}g}")
    return min(max(rounded, low), high)
