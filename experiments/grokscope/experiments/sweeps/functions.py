"""Functions of a user's own that a sweep trains: named as text, looked at without being run, and loaded."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.schemas import GrokscopeError


class NoFunctionError(GrokscopeError):
    """A name of a function that leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a function takes by name.

    Attributes:
        names: Those that it names.
        required: Those of them without a default.
        takes_any: Whether it takes any other name too.
    """

    names: frozenset[str]
    required: frozenset[str]
    takes_any: bool


def parameters_of(named: str) -> Parameters | None:
    """Return what a function takes, as its source tells; ``None`` where only running it would.

    Args:
        named: ``file.py:function`` or ``package.module:function``, from the working folder.

    Raises:
        NoFunctionError: If there is no such file, or no such function in it.
    """
    place, _, name = named.rpartition(":")
    path = _path(place)
    if not _is_file(path):
        if place.endswith(".py"):
            raise NoFunctionError(f"{place} is not there (looked for from {Path.cwd()})")
        return None
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NoFunctionError(f"{path} cannot be read as Python ({error})") from error
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name]
    if found:
        return _parameters(found[-1].args)
    if name not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _imported(tree):
        raise NoFunctionError(f"{path} has no function {name!r}")
    return None


def _path(place: str) -> Path:
    if place.endswith(".py"):
        return Path(place)
    names = place.split(".")
    if not all(name.isidentifier() for name in names):
        raise NoFunctionError(f"{place!r} is no name of a module, nor of a file that ends in .py")
    return Path(*names).with_suffix(".py")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def load(named: str) -> Callable[..., object]:
    """Return a function by its name; the folder of its file, or the working folder, can be imported from.

    Raises:
        NoFunctionError: If there is none.
    """
    place, _, name = named.rpartition(":")
    module = _of_file(Path(place)) if place.endswith(".py") else _of_package(place)
    found = getattr(module, name, None)
    if not callable(found):
        raise NoFunctionError(f"{place} has no function {name!r}")
    return found


def _of_file(path: Path) -> Any:
    sys.path.insert(0, str(path.parent.resolve()))
    name = path.stem if path.stem not in sys.modules else f"swept_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise NoFunctionError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its processes and dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def _of_package(name: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)


def _parameters(given: ast.arguments) -> Parameters:
    placed = [*given.posonlyargs, *given.args]
    unfilled = placed[: len(placed) - len(given.defaults)]
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    required = [*unfilled, *(one for one, default in named if default is None)]
    return Parameters(
        names=frozenset(one.arg for one in (*given.args, *given.kwonlyargs)),
        required=frozenset(one.arg for one in required),
        takes_any=given.kwarg is not None,
    )


def _imported(tree: ast.Module) -> set[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}
