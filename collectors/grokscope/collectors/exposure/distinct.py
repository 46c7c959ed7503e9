"""How many distinct things were seen: exactly by their numbers, or by a sketch of their contents.

Both could be united over processes, bits by "or" and sketches by their maximum, and are not. Their counts
stand at one step only if the processes wait for each other there, and a process of which another has left the
loop would wait for ever; without waiting the union is of no step. Nor do processes of several machines share
a folder. So of several processes no distinct ones are counted, and that is said.
"""

import base64
import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_IDS = 2**30
"""Numbers of examples are below it: a bit each is kept, 128 MiB at most."""
_BITS = 14
_LONGEST_RUN = 64 - _BITS
STANDARD_ERROR = 1.04 / math.sqrt(2**_BITS)
"""Of the sketch's estimate, as a share of it (Flajolet et al. 2007)."""


class DistinctIds:
    """Counts distinct whole numbers exactly: a bit for each up to the largest.

    >>> seen = DistinctIds()
    >>> seen.add(np.array([3, 1, 3]))
    >>> seen.add(np.array([1, 9]))
    >>> seen.count()
    3.0
    """

    def __init__(self) -> None:
        self._bits = np.zeros(0, dtype=np.uint8)
        self._count = 0

    def add(self, ids: NDArray[Any]) -> None:
        """Add whole numbers.

        Raises:
            ValueError: If one is no whole number from 0 to below ``MOST_IDS``.
        """
        if ids.dtype.kind not in "iu" or (ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < MOST_IDS):
            raise ValueError(f"ids are whole numbers from 0 to below {MOST_IDS}, one an example")
        new = np.unique(ids).astype(np.int64)
        if not new.size:
            return
        if (most := int(new[-1]) // 8 + 1) > len(self._bits):
            grown = np.zeros(max(most, 2 * len(self._bits)), dtype=np.uint8)
            grown[: len(self._bits)] = self._bits
            self._bits = grown
        places, bits = new >> 3, np.left_shift(1, new & 7).astype(np.uint8)
        self._count += int(np.count_nonzero((self._bits[places] & bits) == 0))
        np.bitwise_or.at(self._bits, places, bits)

    def count(self) -> float:
        """Return how many there were."""
        return float(self._count)

    def state(self) -> str:
        """Return what ``restore`` takes, as text."""
        return _packed(self._bits)

    def restore(self, state: str) -> None:
        """Go on from the state of another."""
        self._bits = _unpacked(state)
        self._count = int(np.unpackbits(self._bits).sum())


class DistinctRows:
    """Estimates how many distinct rows were seen, in 16 KiB whatever their number: HyperLogLog of hashes.

    Its standard error is 0.8 % of the number. Rows that differ in anything are distinct: an augmented example
    is another one each time.

    Source: Flajolet et al. 2007; estimator of Ertl 2017, arXiv:1702.01284, algorithm 6. Cost: one pass over
    the bytes of the rows.

    >>> seen = DistinctRows()
    >>> for _ in range(3):
    ...     seen.add(np.arange(5000).reshape(1000, 5))
    >>> abs(seen.count() - 1000) < 25
    True
    """

    def __init__(self) -> None:
        self._longest = np.zeros(2**_BITS, dtype=np.uint8)

    def add(self, rows: NDArray[Any]) -> None:
        """Add the rows of an array: its first dimension counts them."""
        if not len(rows):
            return
        hashes = _hashes(rows)
        rest = hashes << np.uint64(_BITS)
        # The exponent of a float tells how many bits a number has; rounding up may cost a bit, once in 2^53.
        lengths = np.frexp(rest.astype(np.float64))[1]
        runs = (np.minimum(64 - lengths, _LONGEST_RUN) + 1).astype(np.uint8)
        np.maximum.at(self._longest, (hashes >> np.uint64(_LONGEST_RUN)).astype(np.int64), runs)

    def count(self) -> float:
        """Return the estimate."""
        size = len(self._longest)
        counts = np.bincount(self._longest, minlength=_LONGEST_RUN + 2) / size
        total = _tau(1 - counts[_LONGEST_RUN + 1])
        for share in counts[_LONGEST_RUN:0:-1]:
            total = 0.5 * (total + share)
        total += _sigma(counts[0])
        return float(size / (2 * math.log(2) * total))

    def state(self) -> str:
        """Return what ``restore`` takes, as text."""
        return _packed(self._longest)

    def restore(self, state: str) -> None:
        """Go on from the state of another."""
        self._longest = _unpacked(state)


def _hashes(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a hash of 64 bits for each row, the same in every process."""
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    width = flat.shape[1] * flat.itemsize
    words = np.zeros((len(rows), max(1, -(-width // 8)) * 8), dtype=np.uint8)
    words[:, :width] = flat.view(np.uint8).reshape(len(rows), width)
    found = words.view(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**64, found.shape[1], dtype=np.uint64) | np.uint64(1)
    mixed = found @ odd + np.uint64(width)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _sigma(share: float) -> float:
    if share == 1:
        return math.inf
    power, total, before = share, share, -1.0
    weight = 1.0
    while total != before:
        before, power = total, power * power
        total += power * weight
        weight *= 2
    return total


def _tau(share: float) -> float:
    if share in (0, 1):
        return 0.0
    weight, total, before = 1.0, 1 - share, -1.0
    while total != before:
        before, share = total, math.sqrt(share)
        weight *= 0.5
        total -= (1 - share) ** 2 * weight
    return total / 3


def _packed(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 1)).decode()


def _unpacked(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8).copy()
