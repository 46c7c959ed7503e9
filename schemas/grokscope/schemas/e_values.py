"""Many e-values at once: which findings are left where at most a share of them may be false."""

from collections.abc import Sequence


def adjusted_e_values(e_values: Sequence[float]) -> list[float]:
    """Return adjusted e-values: at least 1/alpha where at most the share alpha of findings is false.

        adjusted e₍ᵢ₎ = max over k ≥ i of k e₍ₖ₎ / m,   e₍₁₎ ≥ … ≥ e₍ₘ₎

    On average, whatever depends on whatever, and whenever each was stopped. The k largest of m are above
    1/alpha for the largest k with e₍ₖ₎ ≥ m / (alpha k), which is the e-BH procedure.

    Args:
        e_values: At least 0 each; none gives none.

    Returns:
        In the order given.

    Source: Wang & Ramdas 2022, arXiv:2009.02824. O(m log m).

    >>> [round(e, 1) for e in adjusted_e_values([90.0, 3.0, 31.0])]
    [30.0, 3.0, 20.7]
    """
    count = len(e_values)
    adjusted, highest = [0.0] * count, 0.0
    order = sorted(range(count), key=lambda place: -e_values[place])
    for k, place in reversed(list(enumerate(order, 1))):
        highest = max(highest, e_values[place] * k / count)
        adjusted[place] = highest
    return adjusted
