"""User names and passwords in a store's address: kept out of files, arguments and messages."""

import os
from collections.abc import Mapping

from grokscope.schemas.secrets import without_credentials

VARIABLE = "MLFLOW_TRACKING_URI"


def full_uri(store: str, *, env: Mapping[str, str] = os.environ) -> str:
    """Return the address with credentials if ``MLFLOW_TRACKING_URI`` is this store's, else ``store``.

    That is how they come to the shipper: its environment is closed to other users, unlike its arguments.

    >>> full_uri("https://h", env={"MLFLOW_TRACKING_URI": "https://ann:secret@h"})
    'https://ann:secret@h'
    >>> full_uri("https://h", env={"MLFLOW_TRACKING_URI": "https://ann:secret@elsewhere"})
    'https://h'
    """
    given = env.get(VARIABLE, "")
    return given if without_credentials(given) == store else store
