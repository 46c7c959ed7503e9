"""``grokscope experiments``: what can be trained here, and whether it shows what its source describes."""

from enum import StrEnum
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.runs.requirements import require_store, require_torch
from grokscope.schemas import store_uri


class Output(StrEnum):
    """How experiments are printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def experiments(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Of experiments. Default: all.")
    ] = None,
    *,
    train: Annotated[
        bool, typer.Option("--train", help="Train every arm, and judge what its runs did.")
    ] = False,
    store: options.Store = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time. Default: the number of cores.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="At most so many runs an arm. Default: all.", show_default=False)
    ] = None,
    output: Annotated[
        Output, typer.Option("--format", help="A table, JSON lines, or a page in Markdown.")
    ] = Output.TABLE,
) -> None:
    """List the experiments that can be trained here; show the settings of those named; or train them.

    With --train, every arm of each is trained into an MLflow experiment of its name, and a table says in how
    many runs the engine found what the experiment's source describes. What was trained before is not trained
    again: a command that was interrupted goes on where it stopped.

    Example: grokscope experiments sparse-parity --train
    """
    require_torch()
    # They load torch, which other commands do without.
    from grokscope.cli.experiments import listing, results  # noqa: PLC0415
    from grokscope.cli.experiments.training import trained_arms  # noqa: PLC0415

    chosen = listing.named(names or [])
    if not train and output is Output.MARKDOWN:
        raise typer.BadParameter(
            "the page in Markdown tells what was trained; add --train", param_hint="--format"
        )
    if not train:
        listing.say_experiments(chosen, is_json=output is Output.JSON, in_detail=bool(names))
        return
    uri = store_uri(store)
    require_store(uri)
    trained = trained_arms(chosen, store=uri, workers=workers, seeds=seeds)
    said = {
        Output.TABLE: results.say_results,
        Output.JSON: results.say_results_as_json,
        Output.MARKDOWN: results.say_results_as_page,
    }
    said[output](trained)
    if any(one.failed for one in trained):
        raise typer.Exit(1)
