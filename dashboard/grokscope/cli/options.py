"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

Store = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="MLflow tracking URI: sqlite:///PATH or http(s)://HOST. "
        "Default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the working folder.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=1, max=65535, metavar="PORT", help="Port of the dashboard. Default: the first free from 8501 on."
    ),
]


class Format(StrEnum):
    """How verdicts are printed."""

    TABLE = "table"
    JSON = "json"
