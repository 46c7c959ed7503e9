"""Streamlit's page with scripts and a style of ours in it.

``ended.js`` says when the server behind an open page has ended; ``notify.js`` shows new events of the page
Live as notifications of the browser, if its reader wants them; ``shell.css`` puts the menu into the bar at
the top.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FILES: Mapping[str, str] = {
    "ended.js": "text/javascript",
    "notify.js": "text/javascript",
    "shell.css": "text/css",
}
_PATH = "/_grokscope"
_CHARTS = "/_stcore/bidi-components/grokscope.linked_charts"
_EARLY = (
    "linked_charts.js", "axis.js", "chart.js", "lines.js", "mounted.js", "packing.js", "paths.js",
    "tooltip.js", "vega.js",
)  # fmt: skip
"""Scripts of the charts that are fetched and compiled while the server still reads."""
_OF_THE_FILE = ("etag", "last-modified", "content-encoding")


async def _file(request: Request) -> FileResponse:
    path = Path(__file__).with_name(request.url.path.rpartition("/")[2])
    return FileResponse(path, media_type=_FILES[path.name], headers={"cache-control": "no-cache"})


ROUTES = tuple(Route(f"{_PATH}/{name}", _file) for name in _FILES)
"""Where these files are."""


def _tag(name: str) -> str:
    # Relative, as Streamlit's own are: a proxy may put the pages below a path.
    place = f".{_PATH}/{name}"
    return (
        f'<link rel="stylesheet" href="{place}">'
        if name.endswith(".css")
        else f'<script src="{place}"></script>'
    )


def with_files(page: str) -> str:
    """Return a page that loads the scripts and the style before any other.

    >>> with_files("<head></head>")[:53]
    '<head><script src="./_grokscope/ended.js"></script><s'
    """
    early = "".join(f'<link rel="modulepreload" href=".{_CHARTS}/{name}">' for name in _EARLY)
    return page.replace("<head>", f"<head>{''.join(map(_tag, _FILES))}{early}", 1)


def _is_page(headers: MutableHeaders) -> bool:
    """Return whether an answer is a page; a file that is downloaded has a name, and may be HTML too."""
    return headers.get("content-type", "").startswith("text/html") and "content-disposition" not in headers


class OwnPage:
    """Gives ``page`` wherever a page is answered.

    Args:
        app: What answers.
        page: In place of its pages.
    """

    def __init__(self, app: ASGIApp, *, page: str) -> None:
        self._app = app
        self._page = page.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await self._app(scope, receive, self._with_page(send, is_head=scope["method"] == "HEAD"))
        else:
            await self._app(scope, receive, send)

    def _with_page(self, send: Send, *, is_head: bool) -> Send:
        is_page = False

        async def answer(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = message["status"] == HTTPStatus.OK and _is_page(headers)
                if is_page:
                    headers["content-length"] = str(len(self._page))
                    for name in _OF_THE_FILE:
                        del headers[name]
            elif is_page:
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body", "body": b"" if is_head else self._page}
            await send(message)

        return answer
