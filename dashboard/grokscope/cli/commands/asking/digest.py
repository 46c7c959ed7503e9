"""``grokscope digest``: what happened in a store since a time."""

from typing import Annotated

import typer

from grokscope.answers import Asked, StoreReader, ask, since_ms
from grokscope.cli.commands.asking.printing import AnswerFormat, Output, StoreArgument, say_answer
from grokscope.schemas import store_uri


def digest(
    store: StoreArgument = None,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="30m, 12h, 1d or 2w ago, or a date (UTC).")
    ] = "1d",
    experiment: Annotated[
        str | None, typer.Option(help="Experiment in the store. Default: all.", show_default=False)
    ] = None,
    output: Output = AnswerFormat.TEXT,
) -> None:
    """Say what happened since a time: runs that began, ended or went wrong, transitions, who trains now.

    Example: grokscope digest sqlite:///mlflow.db --since 1d
    """
    reader = StoreReader(store_uri(store))
    begin = since_ms(since, now_ms=reader.now_ms())
    say_answer(ask("what_happened_since", reader, Asked(experiment=experiment, since_ms=begin)), output)
