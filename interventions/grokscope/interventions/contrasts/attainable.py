"""The smallest p that a test of so few runs can give at all, said before the test."""

import math

from grokscope.interventions.contrasts.samples import SampleError

ROUNDING = 1e-9
"""What a p may be above its bound: 1 - 0.9 is not quite 0.1."""


def attainable_p(a: int, b: int) -> float:
    """Return the smallest two-sided p of a rank or permutation test of ``a`` against ``b`` runs.

        p = 2 / C(a + b, a)

    Of all ways to deal the runs to the two groups, only the two most extreme ones are as extreme as that.

    Raises:
        SampleError: If a group is empty.

    Source: definition. Ties and runs that cannot be ordered make it larger.

    >>> [round(attainable_p(n, n), 3) for n in (3, 4, 5)]
    [0.1, 0.029, 0.008]
    """
    _check(a, b)
    return min(1.0, 2 / math.comb(a + b, a))


def attainable_paired_p(pairs: int) -> float:
    """Return the smallest two-sided p of a sign-flip or signed-rank test of so many pairs: 2 / 2ⁿ.

    Raises:
        SampleError: If there is no pair.

    Source: definition.

    >>> [round(attainable_paired_p(n), 3) for n in (3, 5, 6)]
    [0.25, 0.062, 0.031]
    """
    _check(pairs, pairs)
    return min(1.0, 2.0 ** (1 - pairs))


def advice(a: int, b: int, *, alpha: float = 0.05, paired: bool = False) -> str | None:
    """Return the sentence to say before the test where its runs are too few; ``None`` where they are not.

    Raises:
        SampleError: If a group is empty, or ``alpha`` is not between 0 and 1.

    >>> advice(3, 3)
    'no result of 3 v 3 runs can have a p below 0.1; 4 v 4 can reach 0.029'
    >>> advice(4, 4)
    """
    if not 0 < alpha < 1:
        raise SampleError(f"alpha is a rate between 0 and 1, got {alpha}")
    smallest = attainable_paired_p(min(a, b)) if paired else attainable_p(a, b)
    if smallest <= alpha + ROUNDING:
        return None
    if paired:
        pairs = next(n for n in range(1, 200) if attainable_paired_p(n) <= alpha + ROUNDING)
        return (
            f"no result of {a} pairs can have a p below {smallest:.2g}; "
            f"{pairs} pairs can reach {attainable_paired_p(pairs):.2g}"
        )
    more_a, more_b = a, b
    while attainable_p(more_a, more_b) > alpha + ROUNDING:
        more_a, more_b = (more_a + 1, more_b) if more_a <= more_b else (more_a, more_b + 1)
    return (
        f"no result of {a} v {b} runs can have a p below {smallest:.2g}; "
        f"{more_a} v {more_b} can reach {attainable_p(more_a, more_b):.2g}"
    )


def _check(a: int, b: int) -> None:
    if min(a, b) < 1:
        raise SampleError(f"a comparison needs runs in both groups, got {a} and {b}")
