"""Frames behind damaged bytes: each has a checksum, so the next whole one can be found."""

import re
from collections.abc import Iterator

from grokscope.collectors.recording.spool.record import HEADER, is_torn, whole_until

# The first byte of a payload says what it is; only there a search for the next frame looks closer.
_KIND = re.compile(rb"P|K(?=.{4}\[)|A(?=.{4}\{)|E(?=\{)", re.DOTALL)
# What a search may cost, in bytes summed up for each byte searched, and for each place looked at. A file that
# is damaged by accident costs a fraction of that; one that is made to cost much is given up.
_PER_BYTE, _PER_PLACE = 16, 64
_LEAST = 1 << 20


def read_around(data: bytes, *, is_rest: bool) -> Iterator[tuple[bytes, int, int]]:
    """Yield each whole frame's payload with the offsets at which it begins and ends.

    What lies between the end of one and the beginning of the next is damaged, and so is what comes behind the
    last one, unless its writer is still at it.

    Args:
        data: Frames from the first byte on.
        is_rest: Whether ``data`` goes to the end of the file. If not, a frame that seems to be longer may be
            whole in the file, and nothing is looked for behind its beginning.

    >>> from grokscope.collectors.recording.spool.record import frame
    >>> [found[1:] for found in read_around(frame(b"E{}") + b"damage" + frame(b"E{}"), is_rest=True)]
    [(0, 11), (17, 28)]
    """
    left = _LEAST + _PER_BYTE * len(data)
    begin = 0
    while True:
        end, cost = whole_until(data, begin)
        left -= cost
        if end is None:
            if not is_rest and is_torn(data[begin:]):
                return
            begin, left = _next(data, begin + 1, left)
            if begin < 0:
                return
            continue
        yield data[begin + HEADER.size : end], begin, end
        begin = end


def _next(data: bytes, begin: int, left: int) -> tuple[int, int]:
    """Return where the next whole frame begins, -1 if none is found, and what may still be spent."""
    for found in _KIND.finditer(data, begin + HEADER.size):
        place = found.start() - HEADER.size
        end, cost = whole_until(data, place)
        if end is not None:
            return place, left
        left -= cost + _PER_PLACE
        if left < 0:
            break
    return -1, left
