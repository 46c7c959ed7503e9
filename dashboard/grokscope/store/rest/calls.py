"""One request to an MLflow server: bounded, without retries, and every answer that is not MLflow's named."""

import importlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from grokscope.schemas.secrets import redacted
from grokscope.store.deadline import Deadline
from grokscope.store.errors import (
    AccessError,
    BusyStoreError,
    NotMLflowError,
    RunNotFoundError,
    ServerFailedError,
    StoreError,
    UnreachableError,
)
from grokscope.store.rest.answers import OddAnswerError, Part

TIMEOUT_S = 5.0
"""Until the head of an answer is there, and for each further piece; see ``deadline``."""

WHOLE_S = 60.0
PIECE = 16 << 10
MAX_ANSWER = 256 << 20
"""Bytes of one answer; a thousand runs with five hundred metrics each are 60 MB."""

_ROOT = "/api/2.0/mlflow/"
_OK = 200
_NOT_FOUND = 404
_FAILED = 500
_KINDS: Mapping[int, type[StoreError]] = {401: AccessError, 403: AccessError, 429: BusyStoreError}
_SHOWN = 120
_Read = TypeVar("_Read")


class RestCalls:
    """Calls of MLflow's REST interface, authenticated by MLflow's own environment variables.

    MLflow's request function is used for its credentials, certificates and workspace, with limits that are
    passed and not put into the environment: the user's own MLflow calls in this process keep theirs.

    Each call is given a function that reads its answer; what that finds odd becomes a ``NotMLflowError``.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._shown = redacted(uri)
        self._deadline = Deadline(self._shown)
        self._rest: Any = importlib.import_module("mlflow.utils.rest_utils")
        self._credentials: Any = importlib.import_module("mlflow.utils.credentials")

    def get(self, endpoint: str, params: Mapping[str, Any], read: Callable[[Part], _Read]) -> _Read:
        """Return the answer to a reading request; a list value is repeated in the query."""
        return self._read(endpoint, read, self._send("GET", _ROOT + endpoint, params=params))

    def post(self, endpoint: str, body: Mapping[str, Any], read: Callable[[Part], _Read]) -> _Read:
        """Return the answer to a search."""
        return self._read(endpoint, read, self._send("POST", _ROOT + endpoint, json=body))

    def content(self, endpoint: str, params: Mapping[str, Any], *, most: int) -> bytes:
        """Return the bytes of a file that the server sends.

        Args:
            endpoint: Its whole path.
            params: Of the query.
            most: Bytes that it may have.
        """
        return self._send("GET", endpoint, most=most, params=params)

    def version(self) -> str:
        """Return what the server says of its version."""
        return self._send("GET", "/version").decode(errors="replace").strip()

    def _send(self, method: str, endpoint: str, *, most: int | None = None, **content: Any) -> bytes:
        status, body = self._deadline.ask(
            lambda sign: self._exchanged(
                partial(self._body, sign=sign, most=most or MAX_ANSWER), method, endpoint, content
            ),
            silence_s=TIMEOUT_S,
            whole_s=WHOLE_S,
        )
        kind = _kind(status, body)
        if kind is None:
            return body
        said = _message(body) or body[: 4 * _SHOWN].decode(errors="replace").strip()
        raise kind(
            f"{self._shown} answered {status} ({redacted(said[:_SHOWN])}). "
            f"{_REMEDIES.get(kind, 'See the log of the server.')}"
        )

    def _exchanged(
        self, read: Callable[[Any], bytes], method: str, endpoint: str, content: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        try:
            response: Any = self._rest.http_request(
                host_creds=self._credentials.get_default_host_creds(self._uri),
                endpoint=endpoint,
                method=method,
                max_retries=0,
                raise_on_status=False,
                respect_retry_after_header=False,
                timeout=TIMEOUT_S,
                stream=True,
                **content,
            )
            with response:
                return int(response.status_code), read(response)
        except StoreError:
            raise
        except Exception as error:  # MLflow wraps what requests raises, each version in its own way
            raise self._unanswered(error) from error

    def _body(self, response: Any, *, sign: Callable[[], None], most: int) -> bytes:
        sign()
        body, told = bytearray(), 0
        for piece in response.iter_content(PIECE):
            body += piece
            if len(body) > most:
                raise NotMLflowError(
                    f"{self._shown} sends an answer of more than {most >> 20} MiB. "
                    f"{_REMEDIES[NotMLflowError]}"
                )
            if len(body) - told >= PIECE:
                sign()
                told = len(body)
        return bytes(body)

    def _read(self, endpoint: str, read: Callable[[Part], _Read], body: bytes) -> _Read:
        try:
            return read(Part(_json(body)))
        except OddAnswerError as error:
            raise NotMLflowError(
                f"{self._shown} answered {endpoint} otherwise than MLflow does: {error}. "
                "Check the address and port, and what is between the server and here."
            ) from error

    def _unanswered(self, error: Exception) -> StoreError:
        first = _innermost(error)
        if isinstance(first, TimeoutError):
            return BusyStoreError(
                f"{self._shown} did not answer within {TIMEOUT_S:g} s. "
                "It is tried again at the next refresh; if this lasts, look at the server's load."
            )
        return UnreachableError(
            f"nobody answers at {self._shown} ({type(first).__name__}: {redacted(str(first))}). "
            "Start the server (`mlflow server`), or check the address."
        )


def _kind(status: int, body: bytes) -> type[StoreError] | None:
    """Return what an answer means; ``None`` if it is what was asked for."""
    if status in _KINDS:
        return _KINDS[status]
    if status >= _FAILED:
        return ServerFailedError
    if status == _OK:
        return None
    said = _json(body)
    if not isinstance(said, dict) or (status == _NOT_FOUND and "error_code" not in said):
        return NotMLflowError
    return RunNotFoundError if status == _NOT_FOUND else StoreError


_REMEDIES: Mapping[type[StoreError], str] = {
    AccessError: "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; "
    "for an invalid Host header, start the server with --allowed-hosts.",
    BusyStoreError: "It limits requests; it is tried again at the next refresh.",
    NotMLflowError: "That is not an MLflow server; check the address and port.",
    RunNotFoundError: "Leave the run out, or check the store's address.",
    ServerFailedError: "The server failed; its log says why (after an update, run `mlflow db upgrade`).",
}


def _json(body: bytes) -> Any:
    """Return what an answer says; as text where it is no JSON, which is then the wrong kind of thing."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body[:_SHOWN].decode(errors="replace")


def _message(body: bytes) -> str:
    said = _json(body)
    message = cast("dict[str, Any]", said).get("message") if isinstance(said, dict) else None
    return message if isinstance(message, str) else ""


def _innermost(error: BaseException) -> BaseException:
    """Return the exception that all the others were raised for."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
