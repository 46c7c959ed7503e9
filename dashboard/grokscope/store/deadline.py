"""How long a store may take: one rule for each question that it is asked, whatever it is reached through.

A question has ``silence_s`` to show the first sign of an answer, connecting included; then the same time
again for each further sign, or the end; and ``whole_s`` in all. Over HTTP (5 s and 60 s) the head of the
answer is a sign, and each further 16 KiB of it: bytes that drip are none. A statement of PostgreSQL (35 s)
and a call of MLflow's own client (60 s) show none before their end. A listing of several pages is a question
a page, each of which has to bring something: see ``Pages``. So a large answer may take its time as long as it
gets on, a reading of thousands of runs is thousands of such questions, and nothing that stands still is
waited for.

A limit on each silence of a socket, which is all that HTTP clients have, bounds nothing: a byte every four
seconds is never silent. So a question is asked on a thread of its own, which is left when its time is over,
and whose sockets are shut down under it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from socket import SHUT_RDWR, SocketIO, socket
from threading import Lock, Thread
from typing import Any, TypeVar

from grokscope.store.errors import BusyStoreError, NotMLflowError

MAX_LEFT = 4
"""Questions that were left and have not ended, from which on the store is not asked any more."""

LISTING_S = 30.0
ENTRIES_A_S = 20
"""A listing may take ``LISTING_S``, and longer if it brings this many entries a second (MLflow: some 300)."""

PAGES = 100
ENTRIES_A_PAGE = 10
"""It may have this many pages, and more if so many entries a page are in them; we ask for a thousand."""

MAX_ENTRIES = 20_000_000

_REMEDY = "It is tried again at the next refresh; if this lasts, look at the server's load."

Answer = TypeVar("Answer")
Question = Callable[[Callable[[], None]], Answer]


class Deadline:
    """Asks a store's questions, each for a bounded time; safe to use from several threads.

    Args:
        shown: What to call the store.

    >>> Deadline("the store").ask(lambda sign: 42, silence_s=5, whole_s=60)
    42
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._guard = Lock()
        self._left: list[Thread] = []

    def ask(self, question: Question[Answer], *, silence_s: float, whole_s: float) -> Answer:
        """Return what ``question`` returns, or raise what it raises.

        Args:
            question: Is called on a thread of its own, with a function to call at each sign of an answer.
            silence_s: Longest time without a sign.
            whole_s: Longest time for all.

        Raises:
            BusyStoreError: If it takes longer.
        """
        self._refuse_if_stuck()
        until_s = time.monotonic() + whole_s
        signs = [time.monotonic()]
        answers: list[Answer] = []
        failures: list[BaseException] = []

        def asked() -> None:
            try:
                answers.append(question(lambda: signs.append(time.monotonic())))
            except BaseException as error:  # noqa: BLE001 -- raised again where it was asked
                failures.append(error)

        # MLflow keeps its workspace in the context.
        thread = Thread(target=copy_context().run, args=(asked,), daemon=True, name="question to a store")
        thread.start()
        while thread.is_alive():
            limit_s = min(signs[-1] + silence_s, until_s)
            thread.join(max(0.0, limit_s - time.monotonic()))
            if thread.is_alive() and time.monotonic() >= min(signs[-1] + silence_s, until_s):
                self._leave(thread)
                raise self._too_slow(silence_s if limit_s < until_s else whole_s, has_begun=len(signs) > 1)
        if failures:
            raise failures[0]
        return answers[0]

    def _leave(self, thread: Thread) -> None:
        _shut_sockets(thread)
        with self._guard:
            self._left.append(thread)

    def _refuse_if_stuck(self) -> None:
        with self._guard:
            self._left = [thread for thread in self._left if thread.is_alive()]
            left = tuple(self._left)
        for thread in left:
            _shut_sockets(thread)
        if len(left) >= MAX_LEFT:
            raise BusyStoreError(
                f"{self._shown} still owes the answers to {len(left)} questions, and is not asked more "
                "before one has ended. Look at the server's load, and at what is between it and here."
            )

    def _too_slow(self, limit_s: float, *, has_begun: bool) -> BusyStoreError:
        said = "did not end its answer within" if has_begun else "did not answer within"
        return BusyStoreError(f"{self._shown} {said} {limit_s:g} s. {_REMEDY}")


class Pages:
    """The pages of one listing: each has to bring something, and they have to come to an end.

    Args:
        shown: What to call the listing.

    >>> pages = Pages("the list of runs")
    >>> pages.next(1000, token="b"), pages.next(20, token="")
    ('b', None)
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._began_s = time.monotonic()
        self._tokens: set[str] = set()
        self._entries = 0

    def next(self, entries: int, *, token: str) -> str | None:
        """Take a page with that many entries; return the token of the next page, if there is one.

        Raises:
            NotMLflowError: If pages come again, or do not come to an end.
            BusyStoreError: If they come too slowly.
        """
        if not token:
            return None
        self._entries += entries
        is_endless = len(self._tokens) > PAGES + self._entries / ENTRIES_A_PAGE or self._entries > MAX_ENTRIES
        if token in self._tokens or is_endless:
            raise NotMLflowError(
                f"{self._shown} does not come to an end: {len(self._tokens) + 1:,} pages, {self._entries:,} "
                "entries. MLflow answers otherwise; check the address, and what is between it and here."
            )
        if time.monotonic() - self._began_s > LISTING_S + self._entries / ENTRIES_A_S:
            raise BusyStoreError(
                f"{self._shown} comes too slowly: {self._entries:,} entries so far. {_REMEDY}"
            )
        self._tokens.add(token)
        return token


def paged(shown: str, ask: Callable[[str | None], tuple[list[Answer], str]]) -> Iterator[list[Answer]]:
    """Yield the pages of a listing, within the limits of ``Pages``.

    Args:
        shown: What to call the listing.
        ask: Token of a page (``None``: the first) -> its entries, and the token of the next or nothing.

    >>> list(paged("the list", lambda token: ([1, 2], "b") if token is None else ([3], "")))
    [[1, 2], [3]]
    """
    pages, token = Pages(shown), None
    while True:
        entries, following = ask(token)
        yield entries
        token = pages.next(len(entries), token=following)
        if token is None:
            return


def _shut_sockets(thread: Thread) -> None:
    """Shut down the sockets that ``thread`` is at work on, so that it ends.

    HTTP clients do not give their sockets away before the head of an answer is there: they are found where
    the thread waits for them. Those of a database's own library cannot be, and are left to its time limits.
    """
    # Both names with an underscore are there for such purposes.
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        for value in tuple(frame.f_locals.values()):
            found: Any = getattr(value, "_sock", None) if isinstance(value, SocketIO) else value
            if isinstance(found, socket):
                with suppress(OSError):
                    socket.shutdown(found, SHUT_RDWR)  # not TLS's own, which would change it under its reader
        frame = frame.f_back
