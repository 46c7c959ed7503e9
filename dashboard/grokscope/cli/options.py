"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

from grokscope.importing import SourceKind

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


Kind = Annotated[
    SourceKind | None,
    typer.Option(
        help="Take logs of this kind only. Default: every kind, told by its content.", show_default=False
    ),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        metavar="REGEX",
        help="For text logs of unknown programs: a regular expression with the group (?P<step>…) and one a "
        "metric, such as (?P<train_loss>…). May be given several times.",
        show_default=False,
    ),
]
Step = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The column or metric that counts the steps. Default: told by its name.",
        show_default=False,
    ),
]
MaxPoints = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Refuse logs of more points than this. Reading may take more memory, the more there may be.",
    ),
]


class Format(StrEnum):
    """How verdicts are printed."""

    TABLE = "table"
    JSON = "json"
