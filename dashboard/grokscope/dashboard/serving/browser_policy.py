"""What a browser may do with these pages, and which pages may talk to the server: none but its own."""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[\da-fA-F:]+\](:\d+)?")
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
_FEATURES = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone",
    "midi", "payment", "usb",
)  # fmt: skip
_ALWAYS: Mapping[str, str] = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # The address of a page names runs.
    "referrer-policy": "no-referrer",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}


def script_hashes(page: Path) -> tuple[str, ...]:
    """Return what a policy calls the scripts that stand in a page's own text."""
    scripts = _INLINE.findall(page.read_text("utf-8"))
    return tuple(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts)


def policy(host: str, scripts: tuple[str, ...]) -> str:
    """Return the policy of a page served under ``host``: all that it needs is the server's, and nothing more.

    Streamlit writes its styles into the page; Vega's charts are interpreted, so no script is made of text.

    >>> policy("localhost:8501", ()).split("; ")[:2]
    ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"]
    """
    # Not every browser takes 'self' for the WebSocket too.
    sockets = [f"ws://{host}", f"wss://{host}"] if _HOST.fullmatch(host) else []
    allowed = {
        "default-src": ["'self'"],
        # What unpacks the server's messages counts in 64 bits with WebAssembly.
        "script-src": ["'self'", "'wasm-unsafe-eval'", *scripts],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'", *sockets],
        "frame-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in allowed.items())


def is_own(origin: str | None, host: str, *, is_secure: bool) -> bool:
    """Say whether a WebSocket is asked for by a page of this server.

    A browser always says whose page asks; whoever says nothing is no browser, and could say anything.

    Args:
        origin: As the client says; ``None`` without a word.
        host: What the client calls this server; a proxy has to keep it.
        is_secure: The connection is known to be encrypted. Else a proxy may have taken that off.

    >>> is_own("http://localhost:8501", "localhost:8501", is_secure=False)
    True
    >>> is_own("http://localhost:9999", "localhost:8501", is_secure=False)
    False
    """
    if origin is None:
        return True
    scheme, _, asks = origin.partition("://")
    if scheme not in ({"https"} if is_secure else _PORTS):
        return False
    usual = f":{_PORTS[scheme]}"
    return asks != "" and asks.removesuffix(usual).lower() == host.removesuffix(usual).lower()


class Fence:
    """Puts a policy on every answer, and refuses WebSockets that another server's page asks for.

    Args:
        app: What answers.
        scripts: As ``script_hashes`` gives them.
    """

    def __init__(self, app: ASGIApp, *, scripts: tuple[str, ...]) -> None:
        self._app = app
        self._scripts = scripts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await self._app(_without_origin(scope), receive, self._with_policy(scope, send))
        elif scope["type"] != "websocket" or _is_from_here(scope):
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # before it is open: a 403

    def _with_policy(self, scope: Scope, send: Send) -> Send:
        host = Headers(scope=scope).get("host", "")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = policy(host, self._scripts)
                headers.update(_ALWAYS)
            await send(message)

        return answer


def _is_from_here(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return is_own(headers.get("origin"), headers.get("host", ""), is_secure=scope.get("scheme") == "wss")


def _without_origin(scope: Scope) -> Scope:
    """Return a request as if it did not say whose page asks.

    Streamlit would let pages of every local server read the answer; to find out whether a page is of this
    machine, it asks another host for this one's address, and nobody is answered meanwhile.
    """
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"]}
