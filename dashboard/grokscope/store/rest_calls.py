"""One request to an MLflow server: five seconds, no retries, and every answer that is not MLflow's named."""

import importlib
from collections.abc import Mapping
from typing import Any, cast

from grokscope.schemas.secrets import redacted
from grokscope.store.errors import (
    AccessError,
    BusyStoreError,
    NotMLflowError,
    RunNotFoundError,
    ServerFailedError,
    StoreError,
    UnreachableError,
)

TIMEOUT_S = 5.0
"""For the connection, and for each silence in an answer."""

_ROOT = "/api/2.0/mlflow/"
_OK = 200
_NOT_FOUND = 404
_FAILED = 500
_KINDS: Mapping[int, type[StoreError]] = {401: AccessError, 403: AccessError, 429: BusyStoreError}
_SHOWN = 120


class RestCalls:
    """Calls of MLflow's REST interface, authenticated by MLflow's own environment variables.

    MLflow's request function is used for its credentials, certificates and workspace, with limits that are
    passed and not put into the environment: the user's own MLflow calls in this process keep theirs.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._shown = redacted(uri)
        self._rest: Any = importlib.import_module("mlflow.utils.rest_utils")
        self._credentials: Any = importlib.import_module("mlflow.utils.credentials")

    def get(self, endpoint: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a reading request; a list value is repeated in the query."""
        return self._send("GET", endpoint, params=params)

    def post(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a search."""
        return self._send("POST", endpoint, json=body)

    def _send(self, method: str, endpoint: str, **content: Any) -> dict[str, Any]:
        try:
            response: Any = self._rest.http_request(
                host_creds=self._credentials.get_default_host_creds(self._uri),
                endpoint=_ROOT + endpoint,
                method=method,
                max_retries=0,
                raise_on_status=False,
                respect_retry_after_header=False,
                timeout=TIMEOUT_S,
                **content,
            )
        except Exception as error:  # MLflow wraps what requests raises, each version in its own way
            raise self._unanswered(error) from error
        return self._checked(response)

    def _unanswered(self, error: Exception) -> StoreError:
        first = _innermost(error)
        if isinstance(first, TimeoutError):
            return BusyStoreError(
                f"{self._shown} did not answer within {TIMEOUT_S:g} s. "
                "It is tried again at the next refresh; if this lasts, look at the server's load."
            )
        return UnreachableError(
            f"nobody answers at {self._shown} ({type(first).__name__}: {first}). "
            "Start the server (`mlflow server`), or check the address."
        )

    def _checked(self, response: Any) -> dict[str, Any]:
        body = _json(response)
        kind = _kind(int(response.status_code), body)
        if kind is None and body is not None:
            return body
        kind = kind or NotMLflowError
        said = (body or {}).get("message") or response.text[:_SHOWN].strip()
        raise kind(
            f"{self._shown} answered {response.status_code} ({redacted(said)}). "
            f"{_REMEDIES.get(kind, 'See the log of the server.')}"
        )


def _kind(status: int, body: dict[str, Any] | None) -> type[StoreError] | None:
    """Return what an answer means; ``None`` if it is what was asked for, should it be JSON."""
    if status in _KINDS:
        return _KINDS[status]
    if status >= _FAILED:
        return ServerFailedError
    if body is None or (status == _NOT_FOUND and "error_code" not in body):
        return NotMLflowError
    if status == _NOT_FOUND:
        return RunNotFoundError
    return None if status == _OK else StoreError


_REMEDIES: Mapping[type[StoreError], str] = {
    AccessError: "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; "
    "for an invalid Host header, start the server with --allowed-hosts.",
    BusyStoreError: "It limits requests; it is tried again at the next refresh.",
    NotMLflowError: "That is not an MLflow server; check the address and port.",
    RunNotFoundError: "Leave the run out, or check the store's address.",
    ServerFailedError: "The server failed; its log says why (after an update, run `mlflow db upgrade`).",
}


def _json(response: Any) -> dict[str, Any] | None:
    try:
        body: Any = response.json()
    except ValueError:
        return None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else None


def _innermost(error: BaseException) -> BaseException:
    """Return the exception that all the others were raised for."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
