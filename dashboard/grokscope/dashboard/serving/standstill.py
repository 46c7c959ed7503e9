"""What every thread was doing when the server stood still: written by no thread of Python's.

Whatever holds Python's lock and does not give it back stops all threads of the process, a watching one too.
``faulthandler`` waits on a thread of its own, written in C, that needs no lock; the loop puts its alarm off
for as long as it turns.
"""

import asyncio
import faulthandler
import os
import platform
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import polars as pl


@asynccontextmanager
async def stacks_at_standstill(file: int, *, after_s: float) -> AsyncGenerator[None]:
    """Write the stacks of all threads to ``file`` whenever the running loop stands still, once each time.

    Args:
        file: An open file's descriptor. Its first line, written at once, says what runs here.
        after_s: How long the loop does not turn before it counts as standing still, in seconds.
    """
    os.write(file, f"Python {platform.python_version()}, polars {pl.__version__}\n".encode())
    turning = asyncio.create_task(_put_off(file, after_s), name="grokscope-standstill")
    try:
        yield
    finally:
        turning.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _put_off(file: int, after_s: float) -> None:
    while True:
        faulthandler.dump_traceback_later(after_s, file=file)
        await asyncio.sleep(after_s / 4)
