"""The store of a session: opened when it is first read, and again where it may have become better."""

from collections.abc import Callable
from threading import Lock

from grokscope.dashboard.state.shared_reading import FIRST_S, Clock
from grokscope.schemas.secrets import redacted
from grokscope.store import BusyStoreError, Store, open_store

REOPEN_S = 30.0
"""A store that could only be opened the slower way is tried anew this often: it may have been upgraded."""

Opener = Callable[[str], Store]


class StoreConnection:
    """Opens one store for all threads.

    It is opened at the first reading, and tried again as long as it is not there: a dashboard can be started
    before its server.

    Args:
        uri: The store's address.
        clock: Seconds.
        opener: Opens it.
    """

    def __init__(self, uri: str, *, clock: Clock, opener: Opener = open_store) -> None:
        self.uri = uri
        self._clock = clock
        self._opener = opener
        self._opening = Lock()
        self._store: Store | None = None
        self._reopen_at = 0.0

    def close(self) -> None:
        """Let the store go; the next question opens it anew. Only where nobody else is reading it."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def store(self) -> Store:
        """Return the store; one that can be read goes on being read while another thread opens it anew.

        Raises:
            StoreError: If it cannot be opened.
        """
        store, now = self._store, self._clock()
        if store is not None and not (store.notice and now >= self._reopen_at):
            return store
        if not self._opening.acquire(timeout=0.0 if store is not None else FIRST_S):
            if store is not None:
                return store
            raise BusyStoreError(f"{redacted(self.uri)} is just being opened. It is tried again by itself.")
        try:
            if self._store is not None and self._store is not store:
                return self._store
            self._reopen_at = now + REOPEN_S
            anew = self._opener(self.uri)
            if store is not None and anew.notice is not None:
                anew.close()
                return store
            # Another thread may be reading the one that is replaced: it is let go, and not closed under it.
            self._store = anew
            return anew
        finally:
            self._opening.release()
