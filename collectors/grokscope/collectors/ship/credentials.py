"""User names and passwords in a store's address: kept out of files, arguments and messages."""

import os
import re
from collections.abc import Mapping

VARIABLE = "MLFLOW_TRACKING_URI"
# Up to the last @ of the authority: a password may hold one itself.
_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*@")
# libpq and others take them as parameters too.
_GIVEN = r"(?:user|passfile|\w*(?:password|passwd|token|secret))=[^&#\s]*"
_FIRST, _LATER = re.compile(rf"\?{_GIVEN}(&?)", re.IGNORECASE), re.compile(rf"&{_GIVEN}", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return ``text`` with user and password cut out of every address in it.

    >>> without_credentials("https://ann:secret@mlflow.example.org/team")
    'https://mlflow.example.org/team'
    >>> without_credentials("postgresql://db/mlflow?password=secret&sslmode=require")
    'postgresql://db/mlflow?sslmode=require'
    """
    text = _LATER.sub("", _CREDENTIALS.sub("", text))
    return _FIRST.sub(lambda found: "?" if found[1] else "", text)


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
