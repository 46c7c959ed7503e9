"""What the commands that answer questions share: the forms of an answer, and how it is printed."""

from enum import StrEnum
from typing import Annotated

import typer

from grokscope.answers import Answer, as_json, as_markdown, as_text
from grokscope.cli.terminal import say, say_json


class AnswerFormat(StrEnum):
    """How answers are printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Output = Annotated[
    AnswerFormat,
    typer.Option("--format", help="A paragraph for people, one JSON object of at most 2 kB, or Markdown."),
]
StoreArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[STORE]",
        help="MLflow tracking URI. Default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here.",
        show_default=False,
    ),
]


def say_answer(answer: Answer, output: AnswerFormat) -> None:
    """Print an answer."""
    if output is AnswerFormat.JSON:
        say_json(as_json(answer))
        return
    text = as_text(answer) if output is AnswerFormat.TEXT else as_markdown(answer)
    for line in text.split("\n"):
        say(line)
