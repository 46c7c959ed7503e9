"""How a run ends, as MLflow names it."""

import builtins
import sys
import threading
from collections.abc import Callable
from functools import wraps
from inspect import currentframe
from opcode import opname
from types import FrameType
from typing import Any, cast

from grokscope.collectors.interrupts import shown
from grokscope.collectors.recording.ship.run_store import ENDS


def status_of(error: BaseException | None) -> str:
    """Return FINISHED, FAILED or KILLED for what ended the training block.

    >>> status_of(None), status_of(ValueError()), status_of(KeyboardInterrupt()), status_of(SystemExit(0))
    ('FINISHED', 'FAILED', 'KILLED', 'FINISHED')
    """
    if error is None or (isinstance(error, SystemExit) and _is_success(error.code)):
        return "FINISHED"
    return "FAILED" if isinstance(error, Exception | SystemExit) else "KILLED"


def checked_status(status: object, *, warn: Callable[[str], object]) -> str:
    """Return ``status`` as MLflow writes it; of another word it warns, and tells the end by what is handled.

    >>> checked_status("finished", warn=print), checked_status("SUCCESS", warn=print)
    close takes FINISHED, FAILED, KILLED, got 'SUCCESS'; the run ends as FINISHED
    ('FINISHED', 'FINISHED')
    """
    if isinstance(status, str) and status.upper() in ENDS:
        return status.upper()
    handled = status_of(sys.exc_info()[1])
    warn(f"close takes {', '.join(ENDS)}, got {shown(status)}; the run ends as {handled}")
    return handled


def uncaught() -> BaseException | None:
    """Return the error that went through the whole program, if one did.

    A shell (IPython, ``pytest``) notes errors in the same place and goes on: theirs begin within the shell.
    """
    error: BaseException | None = getattr(sys, "last_value", None)
    trace = error.__traceback__ if error is not None else None
    return error if trace is not None and trace.tb_frame.f_back is None else None


class Exits:
    """Notes how ``sys.exit``, ``exit`` and ``quit`` are called, which nothing tells at the program's end.

    Python calls no hook for ``SystemExit``: whoever closes a run at the program's very end cannot see it. So
    while a tracker is open, these functions note their argument on the way. What counts in the end is whether
    the error has left the outermost frame: one that was caught on its way ends nothing, nor does one in
    another thread. Of a ``SystemExit`` that is raised by hand only this can be seen: that something has left
    the outermost frame.

    >>> Exits().last() is None
    True
    """

    def __init__(self) -> None:
        self._last: tuple[SystemExit, FrameType] | None = None
        self._outermost: FrameType | None = None
        self._open = 0
        self._put_back: list[Callable[[], None]] = []

    def watch(self) -> None:
        """Begin to note, for one more who wants to know."""
        self._open += 1
        if _is_main_thread():
            self._outermost = _outermost()
        if self._open == 1:
            self._wrap(sys, "exit", given=0)
            shell = cast("Any", type(getattr(builtins, "exit", None)))
            if shell.__module__ == "_sitebuiltins":
                self._wrap(shell, "__call__", given=1)

    def leave(self) -> None:
        """Put the functions back once nobody wants to know; what others have wrapped meanwhile stays."""
        self._open -= 1
        while not self._open and self._put_back:
            self._put_back.pop()()

    def last(self) -> SystemExit | None:
        """Return what has ended the program, if one of the functions did."""
        if self._last is None:
            return None
        error, frame = self._last
        return error if _is_left_by_error(frame) else None

    def is_left_unknown(self) -> bool:
        """Say, once, whether an error has left the program, of which nothing more is known."""
        frame, self._outermost = self._outermost, None
        return frame is not None and _is_left_by_error(frame)

    def _wrap(self, owner: Any, name: str, *, given: int) -> None:
        before = getattr(owner, name)

        @wraps(before)
        def noting(*arguments: Any, **more: Any) -> Any:
            if _is_main_thread():
                self._last = SystemExit(*arguments[given:], *more.values()), _outermost()
            return before(*arguments, **more)

        def put_back() -> None:
            if getattr(owner, name) is noting:
                setattr(owner, name, before)

        setattr(owner, name, noting)
        self._put_back.append(put_back)


EXITS = Exits()
"""The one of this process, as ``sys.exit`` is."""


def end_of_program(earlier: BaseException | None, *, warn: Callable[[str], object]) -> str:
    """Return FINISHED, FAILED or KILLED for how the program has ended; where that cannot be known, say so.

    Args:
        earlier: ``uncaught()`` when the run began: what ended something else before.
        warn: Takes a sentence, once in a program of many runs.
    """
    error = uncaught()
    if error is not None and error is not earlier:
        return status_of(error)
    noted = EXITS.last()
    if noted is None and EXITS.is_left_unknown():
        warn(
            "the program was left by a SystemExit whose code nothing tells, so the run ends as FINISHED. "
            "Call sys.exit instead of raising it, close the tracker, or use it in a with block."
        )
    return status_of(noted)


def _is_left_by_error(frame: FrameType) -> bool:
    # A frame that came to its end stands at its return.
    return not opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_success(code: object) -> bool:
    return code is None or (isinstance(code, int) and code == 0)


def _outermost() -> FrameType:
    frame = cast("FrameType", currentframe())  # CPython has frames
    while frame.f_back is not None:
        frame = frame.f_back
    return frame
