"""``grokscope ask``: one question about the runs of a store."""

from typing import Annotated

import typer

from grokscope.answers import COUNTED_IN, QUESTIONS, Asked, StoreReader, since_ms
from grokscope.answers import ask as answer_to
from grokscope.cli.commands.asking.printing import AnswerFormat, Output, StoreArgument, say_answer
from grokscope.dashboard.words.patterns import PATTERN_OF_WORD
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import store_uri
from grokscope.schemas.runs.query import Query


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help=f"One of {', '.join(QUESTIONS)}.")],
    store: StoreArgument = None,
    *,
    experiment: Annotated[
        str | None,
        typer.Option(help="Experiment in the store. Default: the one with the newest activity."),
    ] = None,
    run: Annotated[str | None, typer.Option(help="A run's name, its id or the begin of it.")] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="PARAM[,PARAM]", help="Group runs by params. Default: by all but the seed."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC<=VALUE",
            help="What is to be reached. Default: generalization, as detect dates it.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="QUERY", help="Only these runs: 'lr >= 1e-3 and not tag.bad'.", show_default=False
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="30m, 12h, 1d or 2w ago, or a date (UTC).")
    ] = None,
    count_in: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help=f"Of costs: {', '.join(COUNTED_IN)}. Default: steps."),
    ] = None,
    output: Output = AnswerFormat.TEXT,
) -> None:
    """Answer a question about the runs of a store: how it is known, how surely, and what is missing.

    Example: grokscope ask when sqlite:///mlflow.db --experiment parity
    """
    reader = StoreReader(store_uri(store), pattern_words=PATTERN_OF_WORD)
    asked = Asked(
        experiment=experiment,
        run=run,
        by=by,
        target=None if target is None else Target.parse(target),
        where=None if where is None else Query.parse(where),
        since_ms=None if since is None else since_ms(since, now_ms=reader.now_ms()),
        count_in=count_in,
    )
    say_answer(answer_to(question, reader, asked), output)
