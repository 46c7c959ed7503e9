"""Streamlit's page with a script of ours in it, which says when the server behind an open page has ended."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ENDED = Path(__file__).with_name("ended.js")
_PATH = "/_grokscope/ended.js"
# Relative, as Streamlit's own are: a proxy may put the pages below a path.
_TAG = f'<script src=".{_PATH}"></script>'
_OF_THE_FILE = ("etag", "last-modified", "content-encoding")


async def _ended(_request: Request) -> FileResponse:
    return FileResponse(_ENDED, media_type="text/javascript", headers={"cache-control": "no-cache"})


ROUTE = Route(_PATH, _ended)
"""Where the script is."""


def with_script(page: str) -> str:
    """Return a page that loads the script before any other.

    >>> with_script("<head></head>")
    '<head><script src="./_grokscope/ended.js"></script></head>'
    """
    return page.replace("<head>", f"<head>{_TAG}", 1)


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
                is_page = message["status"] == 200 and headers.get("content-type", "").startswith("text/html")  # noqa: PLR2004
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
