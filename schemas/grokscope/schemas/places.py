"""Where things live: one rule for the writing and the reading side."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from grokscope.schemas.addresses import UnknownAddressError, address_of
from grokscope.schemas.errors import NoHomeError

DEFAULT_STORE = "sqlite:///mlflow.db"


def store_uri(given: str | None = None, *, env: Mapping[str, str] = os.environ) -> str:
    """Return the MLflow tracking URI: ``given``, else ``MLFLOW_TRACKING_URI``, else MLflow's own default.

    The path of a file is made absolute against the working folder, so that a process with another working
    folder opens the same file. What is no address stays as it is, for who opens it to say so.

    >>> store_uri("http://127.0.0.1:5000", env={})
    'http://127.0.0.1:5000'
    >>> store_uri(None, env={"MLFLOW_TRACKING_URI": "sqlite:////data/mlflow.db"})
    'sqlite:////data/mlflow.db'
    """
    uri = given or env.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE
    try:
        return address_of(uri).uri
    except UnknownAddressError:
        return uri


def home(*, env: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for spools and state: ``GROKSCOPE_HOME``, else the platform's user data folder.

    A link is followed here, once: below the home none is.

    Raises:
        NoHomeError: If the folder is a user's and nobody can tell which, or leads in a circle.

    >>> home(env={"GROKSCOPE_HOME": "/data/grokscope"})
    PosixPath('/data/grokscope')
    """
    given = env.get("GROKSCOPE_HOME")
    try:
        return (Path(given).expanduser() if given else _platforms(env)).absolute().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        told = f"GROKSCOPE_HOME is {given!r}, and" if given else "GROKSCOPE_HOME is not set, and"
        raise NoHomeError(
            f"{told} no folder for spools and state can be told from that ({error}); set it to the path of a "
            "folder that can be written, such as /data/grokscope"
        ) from error


def _platforms(env: Mapping[str, str]) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "grokscope"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "grokscope"
