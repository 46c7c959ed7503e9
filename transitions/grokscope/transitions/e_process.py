"""E-processes: bets against "the score has not moved", with an error bound that holds at every moment."""

from collections.abc import Mapping, Sequence

_BETS = (0.1, 0.3, 0.6, 0.9)
"""Shares of the largest stake that cannot go broke; their wealth is averaged."""
_LARGEST = 1e300
"""Wealth is cut here, so that it stays a number."""


class EProcess:
    """Wealth of a gambler who bets that a score in [0, 1] exceeds ``mean``, starting at a moment unknown.

        E_t = Σ_{s≤t} w_s  mean_λ Π_{i=s..t} (1 + λ (x_i - mean))  +  1/(t + 1),     w_s = 1 / (s (s + 1))

    Under H₀, that the conditional expectation of x_t given everything before t is at most ``mean`` for every
    t, E is a non-negative supermartingale that starts at 1. By Ville's inequality (1939)

        P(there is a t with E_t ≥ 1/α) ≤ α

    however long one looks and whatever one does with the looks. The starts s are weighted because a rise that
    comes late must not have to win back what was lost on the plateau before it. Nothing is assumed about the
    distribution of the score, nor that evaluations are independent; but noise that is predictable from its
    own past moves the conditional expectation, so its predictable part has to lie within ``mean`` too.

    Args:
        mean: The largest conditional expectation under H₀, in (0, 1).

    Source: Shin, Ramdas & Rinaldo 2022, arXiv:2203.03532 (e-detectors). O(1) memory and time.

    >>> process = EProcess(mean=0.1)
    >>> [round(process.update(score), 2) for score in (0.1, 0.1, 0.9, 0.9, 0.9)]
    [1.0, 1.0, 3.85, 22.13, 150.2]
    """

    def __init__(self, *, mean: float) -> None:
        if not 0 < mean < 1:
            raise ValueError(f"an e-process needs a mean between 0 and 1, got {mean}")
        self.mean = mean
        self.value = 1.0
        self._stakes = [share / mean for share in _BETS]
        self._wealth = [0.0] * len(_BETS)
        self._seen = 0

    def update(self, score: float) -> float:
        """Bet on one more score (cut to 0..1) and return E."""
        self._seen += 1
        gain = min(max(score, 0.0), 1.0) - self.mean
        weight = 1.0 / (self._seen * (self._seen + 1))
        wealth = self._wealth
        for i, stake in enumerate(self._stakes):
            wealth[i] = min((wealth[i] + weight) * (1.0 + stake * gain), _LARGEST)
        self.value = sum(wealth) / len(wealth) + 1.0 / (self._seen + 1)
        return self.value


def e_bh(e_values: Mapping[str, float], alpha: float) -> Sequence[str]:
    """Return the runs whose null is rejected with false discovery rate at most ``alpha``.

    The k largest of K are, for the largest k with e_(k) ≥ K / (α k). Valid whatever depends on whatever:
    seeds share data and code.

    Args:
        e_values: Run -> e-value: an e-process read at any stopping time, such as its alarm or the end of the
            log. The largest value that it ever had is none.
        alpha: In (0, 1).

    Source: Wang & Ramdas 2022, arXiv:2009.02824.

    >>> e_bh({"a": 90.0, "b": 3.0, "c": 31.0}, 0.05)
    ('a', 'c')
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a rate between 0 and 1, got {alpha}")
    ranked = sorted(e_values, key=lambda run: (-e_values[run], run))
    held = [k for k, run in enumerate(ranked, 1) if e_values[run] * k * alpha >= len(ranked)]
    return tuple(ranked[: max(held, default=0)])
