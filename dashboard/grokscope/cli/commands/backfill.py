"""``grokscope backfill``: measure saved checkpoints into the run that they came from."""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grokscope.cli.engines import Address, Engine, EngineName, workers_of
from grokscope.cli.options import Store
from grokscope.cli.terminal import say
from grokscope.schemas import GrokscopeError
from grokscope.schemas.extras import Extra, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class BackfillError(GrokscopeError):
    """What to measure, or on what, could not be found."""


def backfill(
    folder: Annotated[Path, typer.Argument(help="Folder of one run's checkpoints (step-*.safetensors).")],
    build: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Called without arguments; returns (model, splits): the model as built for training, and "
            "a mapping of split name to data.",
        ),
    ],
    measure: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="An instrument's name, as in grokscope.collectors.measures, or MODULE:NAME of one of "
            "your own. Repeat it for several.",
        ),
    ],
    *,
    store: Store = None,
    engine: Engine = EngineName.LOCAL,
    address: Address = None,
) -> None:
    """Compute measures over saved checkpoints, into the same MLflow run.

    The modules are looked for in the working folder first, as python -m does.

    Example: grokscope backfill saved --build train:build --measure sharpness
    """
    sys.path.insert(0, str(Path.cwd()))
    try:
        from grokscope.collectors.backfill import backfill as fill  # noqa: PLC0415 - torch is optional
    except ImportError as error:
        raise BackfillError(missing("backfill", error.name or "torch", Extra.TORCH)) from error
    model, splits = _built(build)
    measures = [_measure(name) for name in measure]
    with workers_of(engine, address) as workers:
        logged = fill(
            folder.absolute(),
            model,
            splits,
            measures=measures,
            store=store,
            report=lambda step: say(f"step {step:,}", err=True),
            workers=workers,
        )
    say(f"{logged:,} values logged")


def _built(build: str) -> tuple[Any, Any]:
    built = _named(build)()
    try:
        model, splits = built
    except (TypeError, ValueError) as error:
        raise BackfillError(
            f"{build} must return a pair (model, splits), got {type(built).__name__}"
        ) from error
    return model, splits


def _measure(name: str) -> Any:
    if ":" in name:
        return _named(name)
    collected = importlib.import_module("grokscope.collectors.measures").INSTRUMENTS
    makes: Mapping[str, Callable[[], Any]] = {make.name: make for make in collected}
    if name not in makes:
        raise BackfillError(
            f"{name!r} is no instrument; known: {', '.join(sorted(makes))}; "
            "name one of your own as MODULE:NAME"
        )
    return makes[name]()


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BackfillError(
            f"{path!r} must be MODULE:NAME of something that can be imported from here ({error})"
        ) from error
