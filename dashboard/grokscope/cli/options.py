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
UpgradeStore = Annotated[
    bool,
    typer.Option(
        "--upgrade-store",
        help="Migrate the store first if an older MLflow made it. Clients and servers of that version then "
        "fail on it, so stop them, and make a copy: of a SQLite file one is kept beside it, of a database "
        "none is made.",
    ),
]


class Format(StrEnum):
    """How verdicts are printed."""

    TABLE = "table"
    JSON = "json"
