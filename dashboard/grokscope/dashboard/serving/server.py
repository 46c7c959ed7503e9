"""What ``streamlit run`` starts: the app, and the watches that are kept from within its server."""

import asyncio
import importlib
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from grokscope.dashboard.serving.browser_policy import Fence, script_hashes
from grokscope.dashboard.serving.page import ROUTES, OwnPage, with_files
from grokscope.dashboard.serving.preparation import prepare
from grokscope.dashboard.serving.settings import APP, PARENT_VARIABLE, STACKS_VARIABLE, STANDSTILL_VARIABLE
from grokscope.dashboard.serving.standstill import stacks_at_standstill

_LAST_S = 5.0

# Streamlit imports these when they are first needed, in the thread of one page; in another page's, Altair
# would take what is half imported for whole, and that page would be an error.
for _name in ("pandas", "pyarrow"):
    importlib.import_module(_name)


@asynccontextmanager
async def _watched(_app: st.App) -> AsyncGenerator[None]:
    async with AsyncExitStack() as watches:
        if parent := os.environ.get(PARENT_VARIABLE):
            task = asyncio.create_task(_end_with(int(parent)), name="grokscope-parent")
            watches.callback(task.cancel)
        file, after_s = os.environ.get(STACKS_VARIABLE), os.environ.get(STANDSTILL_VARIABLE)
        if file and after_s:
            await watches.enter_async_context(stacks_at_standstill(int(file), after_s=float(after_s)))
        prepare()
        yield


async def _end_with(parent: int) -> None:
    """End this server once ``parent`` has gone without ending it: nobody else would, and the port is held."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of it but the question
        await asyncio.sleep(1)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(_LAST_S)
    os._exit(128 + signal.SIGTERM)  # A client that reads slowly, or not at all, would keep it for ever.


_PAGE = Path(st.__file__).parent / "static" / "index.html"

app = st.App(
    APP,
    lifespan=_watched,
    routes=[*ROUTES],
    middleware=[
        Middleware(Fence, scripts=script_hashes(_PAGE)),
        Middleware(OwnPage, page=with_files(_PAGE.read_text("utf-8"))),
    ],
)
