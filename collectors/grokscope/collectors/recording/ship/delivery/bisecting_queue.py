"""Sending records so that one which the store refuses costs none of the others, and an outage costs none."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from grokscope.collectors.recording.ship.run_store import Refused, Unavailable

T = TypeVar("T")


class BisectingQueue(Generic[T]):
    """Sends records part by part; a part that the store refuses is halved until the bad record is alone.

    That a store refuses a record proves nothing, since a server or proxy in trouble refuses whatever comes.
    So a record is given up only if the store takes another one now and refuses this one again. While it takes
    nothing, all records stay here.

    Args:
        send: Sends some records; raises ``Refused`` if one of them is bad.
        give_up: Takes a record that the store does not want, and why.
        probe: Sends something that the store has taken before; raises ``Refused`` if it takes nothing.
        good: A record that the store has taken before.

    >>> def send(numbers):
    ...     if 3 in numbers:
    ...         raise Refused("no threes")
    >>> queue = BisectingQueue[int](send, give_up=lambda number, why: print(number, why), probe=lambda: None)
    >>> queue.add(range(5), size=5)
    >>> while queue:
    ...     _ = queue.advance()
    3 no threes
    """

    def __init__(
        self,
        send: Callable[[Sequence[T]], None],
        *,
        give_up: Callable[[T, str], None],
        probe: Callable[[], None],
        good: T | None = None,
    ) -> None:
        self._send = send
        self._give_up = give_up
        self._probe = probe
        self._good = good
        self._parts: deque[tuple[T, ...]] = deque()
        self._doubtful: list[tuple[T, ...]] = []
        self._has_tried_all = False

    def __len__(self) -> int:
        """Return how many records are still to be sent."""
        return sum(map(len, self._parts)) + len(self._doubtful)

    def add(self, records: Sequence[T], *, size: int) -> None:
        """Add records to be sent, in parts of ``size``, before those of which none was taken so far."""
        self._parts.extendleft(reversed(list(_cut(tuple(records), size))))
        self._has_tried_all = self._has_tried_all and not records

    def resize(self, size: int) -> None:
        """Cut what is still to be sent into parts of ``size``."""
        rest = tuple(record for part in self._parts for record in part)
        self._parts = deque(_cut(rest, size))

    def advance(self) -> int:
        """Send the first part, or as much of it as the store takes; return how many records are done.

        Raises:
            Refused: If the store takes none of the records, though it takes other things.
            Unavailable: If it takes nothing at all now.
        """
        while self._parts:
            part = self._parts[0]
            try:
                self._send(part)
            except Refused as error:
                if len(part) > 1:
                    self._parts.popleft()
                    self._parts.extendleft(reversed(list(_cut(part, (len(part) + 1) // 2))))
                    continue
                self._check_store(error)
                if self._good is None:
                    self._doubt(error)
                    continue
                self._give_up_if_refused(*part)
            else:
                self._good = part[-1]
            self._parts.popleft()
            self._parts.extendleft(reversed(self._doubtful))  # now it can be told what they are
            self._doubtful = []
            return len(part)
        return 0

    def _check_store(self, error: Refused) -> None:
        try:
            self._probe() if self._good is None else self._send((self._good,))
        except Refused:
            raise Unavailable(f"it refuses everything for now ({error}); nothing is given up") from error

    def _give_up_if_refused(self, record: T) -> None:
        try:
            self._send((record,))
        except Refused as error:
            self._give_up(record, str(error))

    def _doubt(self, error: Refused) -> None:
        """Set the first record aside until the store has taken one of its kind."""
        self._doubtful.append(self._parts.popleft())
        self._has_tried_all = self._has_tried_all or not self._parts
        if self._has_tried_all:
            self._parts.extend(self._doubtful)  # last, so that the next call tries another one
            self._doubtful = []
            raise error


def _cut(records: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    return (records[begin : begin + size] for begin in range(0, len(records), size))
