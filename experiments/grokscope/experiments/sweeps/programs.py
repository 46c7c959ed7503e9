"""What a sweep trains, and whether its settings fit that: an experiment, a function or a command."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from string import Formatter
from typing import TYPE_CHECKING, Any, get_type_hints

from grokscope.experiments.sweeps.cells.space import Settings
from grokscope.experiments.sweeps.checks import ConfigError, as_text, check_known, filled_list, shown, text
from grokscope.experiments.sweeps.functions import NoFunctionError, parameters_of
from grokscope.schemas.extras import Extra, missing

if TYPE_CHECKING:
    from grokscope.experiments.experiment import Experiment

_TYPES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is trained: one of the two.

    Attributes:
        train: Name of one of our experiments, or of a function, as ``Cell`` has it.
        command: Words with placeholders.
    """

    train: str = ""
    command: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it is one of our experiments."""
        return bool(self.train) and ":" not in self.train


def program_of(told: Mapping[str, Any]) -> Program:
    """Return what the keys ``train`` and ``command`` name.

    Raises:
        ConfigError: If it is not exactly one, or nothing of that name is there.
    """
    if ("train" in told) == ("command" in told):
        raise ConfigError(
            "a sweep says what it trains with one of two keys: train = 'modular-arithmetic' (an experiment, "
            "or 'file.py:function'), or command = ['python', 'train.py', '--lr', '{lr}', '--seed', '{seed}']"
        )
    if "train" in told:
        return Program(train=text(told["train"], what="train"))
    given = told["command"]
    if isinstance(given, str):
        try:
            given = shlex.split(given)
        except ValueError as error:
            raise ConfigError(f"command cannot be split into words ({error}), got {shown(given)}") from error
    words = filled_list(given, what="command")
    for word in words:
        if not isinstance(word, str) or "\0" in word:
            raise ConfigError(f"each word of command is a text, got {shown(word)}; write it in quotes")
    return Program(command=tuple(words))


def fitted(program: Program, cells: Sequence[Settings], *, seeds: Sequence[int]) -> list[Settings]:
    """Return the settings of each cell as what is trained takes them.

    Args:
        program: What is trained.
        cells: Settings, without seeds.
        seeds: Seeds of each.

    Raises:
        ConfigError: If a setting is unknown, lacking, unused or of the wrong kind.
    """
    if program.is_ours:
        experiment = experiment_named(program.train)
        hints = get_type_hints(experiment.recipe)
        return [_of_recipe(experiment, cell, hints) for cell in cells]
    names = {name for cell in cells for name in cell}
    if program.command:
        _check_placeholders(program.command, cells, names=names, has_seeds=len(seeds) > 1)
    else:
        _check_parameters(program.train, cells)
    return list(cells)


def command_of(program: Program, settings: Settings, seed: int) -> tuple[str, ...]:
    """Return the words of a command with its placeholders filled in.

    >>> command_of(Program(command=("train", "--lr={lr}", "{seed}")), {"lr": 0.1}, 3)
    ('train', '--lr=0.1', '3')
    """
    values = {name: as_text(value) for name, value in settings.items()} | {"seed": str(seed)}
    return tuple(word.format_map(values) for word in program.command)


def experiment_named(name: str) -> "Experiment":
    """Return one of our experiments.

    Raises:
        ConfigError: If there is none of that name, or torch is not installed.
    """
    try:
        from grokscope.experiments.catalogue import EXPERIMENTS  # noqa: PLC0415 - needs torch
    except ImportError as error:
        raise ConfigError(
            missing("an experiment that trains here", error.name or "torch", Extra.TORCH)
        ) from error
    if name not in EXPERIMENTS:
        check_known([name], EXPERIMENTS, what="experiment, and functions are named as file.py:function")
    return EXPERIMENTS[name]


def _of_recipe(experiment: "Experiment", settings: Settings, hints: Mapping[str, Any]) -> Settings:
    known = [one.name for one in fields(experiment.recipe) if "axis" in one.metadata]
    check_known(settings, known, what=f"setting of {experiment.name}")
    typed = {name: _typed(value, hints[name], name) for name, value in settings.items()}
    _check_recipe(experiment, typed)
    return typed


def _typed(value: Any, kind: Any, name: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if kind in _TYPES and type(value) is not kind:
        raise ConfigError(f"{name} is {_TYPES[kind]}, got {shown(value)}")
    return value


def _check_recipe(experiment: "Experiment", settings: Mapping[str, Any]) -> None:
    """Refuse what the experiment's recipe does not allow."""
    try:
        experiment.recipe(**settings)
    except ValueError as error:
        raise ConfigError(f"{experiment.name} does not take {shown(dict(settings))} ({error})") from error


def _check_parameters(named: str, cells: Sequence[Settings]) -> None:
    try:
        found = parameters_of(named)
    except NoFunctionError as error:
        raise ConfigError(f"train names no function: {error}") from error
    if found is None:
        return
    for cell in cells:
        if not found.takes_any:
            if "seed" not in found.names:
                raise ConfigError(f"{named} takes no seed, which every run has; give it a parameter 'seed'")
            check_known(cell, sorted(found.names), what=f"parameter of {named}")
        if lacking := sorted(found.required - cell.keys() - {"seed"}):
            raise ConfigError(f"{named} needs {', '.join(lacking)}; give it in [settings] or [grid]")


def _check_placeholders(
    command: Sequence[str], cells: Sequence[Settings], *, names: set[str], has_seeds: bool
) -> None:
    used = {name for word in command for name in _placeholders(word)}
    for cell in cells:
        if unfilled := sorted(used - cell.keys() - {"seed"}):
            known = sorted(names | {"seed"})
            check_known(unfilled, known, what="setting, so nothing fills this placeholder of command")
            raise ConfigError(f"a cell has no {unfilled[0]}, so nothing fills this placeholder of command")
    if unused := sorted(names - used):
        raise ConfigError(f"command does not use {', '.join(unused)}; write {{{unused[0]}}} where it belongs")
    if has_seeds and "seed" not in used:
        raise ConfigError("command does not use the seed; write {seed} where it belongs, or remove seeds")


def _placeholders(word: str) -> list[str]:
    try:
        parts = [(name, spec, how) for _, name, spec, how in Formatter().parse(word) if name is not None]
    except ValueError as error:
        raise ConfigError(
            f"{shown(word)} of command is no text with placeholders ({error}); a brace of its own is written "
            "twice, {{ or }}"
        ) from error
    for name, spec, how in parts:
        if not name.isidentifier() or spec or how:
            raise ConfigError(f"a placeholder of command is a name, as {{lr}}, got {shown(word)}")
    return [name for name, _, _ in parts]
