"""Errors by which the user's own program breaks off what is being done; they pass through everything here."""

import signal
import sys
from collections.abc import Iterator
from functools import partial
from inspect import CO_OPTIMIZED
from itertools import pairwise
from types import CodeType, FrameType, TracebackType


def is_interrupt(error: BaseException) -> bool:
    """Say whether the handler of a signal raised ``error``, or an error that ``error`` grew out of.

    A handler's frame stands in the traceback. It is known by its code, if it still is a signal's handler, or
    by its arguments, a number and the frame that it interrupts. A debugger's way out counts too. What is no
    ``Exception`` (``KeyboardInterrupt``, ``SystemExit``) needs no asking: nobody here catches it.

    >>> def limit(*_):
    ...     raise TimeoutError
    >>> before = signal.signal(signal.SIGUSR1, limit)
    >>> try:
    ...     signal.raise_signal(signal.SIGUSR1)
    ... except TimeoutError as error:
    ...     is_interrupt(error), is_interrupt(TimeoutError())
    (True, False)
    >>> _ = signal.signal(signal.SIGUSR1, before)
    """
    raised = [each for each in _grown_from(error) if _has_come_from_below(each)]
    if not raised:  # asking for all handlers costs more than logging
        return False
    handlers = frozenset(_handlers())
    return any(_is_raised_by(each, handlers) for each in raised)


def shown(value: object) -> str:
    """Return an error or another value as text, even one that cannot be shown.

    >>> shown(ValueError("no"))
    "ValueError('no')"
    """
    try:
        return repr(value)
    except Exception as error:
        if is_interrupt(error):
            raise
        return type(value).__name__


def _has_come_from_below(error: BaseException) -> bool:
    """Say whether a frame beneath that which caught it stands in the traceback, as a handler's would."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is not None


def _is_raised_by(error: BaseException, handlers: frozenset[CodeType]) -> bool:
    debugger = sys.modules.get("bdb")
    if debugger is not None and isinstance(error, debugger.BdbQuit):
        return True
    interrupted: FrameType | None = None
    for frame in _frames(error.__traceback__):
        if frame.f_code in handlers or _is_called_with(frame, interrupted):
            return True
        interrupted = frame
    return False


def _grown_from(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and those before it that were raised beneath the same frame."""
    waiting, seen = [error], set[int]()
    while waiting:
        later = waiting.pop()
        seen.add(id(later))
        yield later
        frames = set(_frames(later.__traceback__))
        for earlier in (later.__cause__, later.__context__):
            # One that is being handled outside, where we were called, has nothing to do with us.
            first = next(_frames(earlier.__traceback__), None) if earlier is not None else None
            if earlier is not None and first in frames and id(earlier) not in seen:
                waiting.append(earlier)


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _is_called_with(frame: FrameType, interrupted: FrameType | None) -> bool:
    if interrupted is None or not frame.f_code.co_flags & CO_OPTIMIZED:
        return False
    arguments: list[object] = []
    for value in frame.f_locals.values():  # in the order of the arguments; ``*args`` is a tuple
        arguments += value if type(value) is tuple else (value,)
    return any(isinstance(one, int) and other is interrupted for one, other in pairwise(arguments))


def _handlers() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: object = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None) or getattr(type(handler).__call__, "__code__", None)
        if isinstance(code, CodeType):
            yield code
