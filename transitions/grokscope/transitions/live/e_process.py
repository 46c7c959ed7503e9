"""E-processes: bets against "the score has not moved", with an error bound that holds at every moment."""

from collections.abc import Mapping, Sequence

from grokscope.schemas.e_values import adjusted_e_values

_BETS = (0.1, 0.3, 0.6, 0.9)
"""Shares of the largest stake that cannot go broke; their wealth is averaged."""
_LARGEST = 1e300
"""Wealth is cut here, so that it stays a number."""


class EProcess:
    """Wealth of a gambler who bets that a score in [0, 1] exceeds ``mean``, starting at a moment unknown.

        E_t = Σ_{s≤t} w_s mean_c Π_{i=s..t} (1 + c (x_i - m_i) / m_i) + 1/√(t + 1),  w_s = 1/√s - 1/√(s + 1)

    Under H₀, that the conditional expectation of x_t given everything before t is at most m_t for every t, E
    is a non-negative supermartingale that starts at 1. By Ville's inequality (1939)

        P(there is a t with E_t ≥ 1/α) ≤ α

    however long one looks and whatever one does with the looks. The starts s are weighted because a rise that
    comes late must not have to win back what was lost on the plateau before it. Nothing is assumed about the
    distribution of the score, nor that evaluations are independent; but noise that is predictable from its
    own past moves the conditional expectation, so its predictable part has to lie within m_t too.

    Args:
        mean: m_t, the largest conditional expectation under H₀, in (0, 1); ``update`` may change it.

    Source: Shin, Ramdas & Rinaldo 2022, arXiv:2203.03532 (e-detectors). O(1) memory and time.

    >>> process = EProcess(mean=0.1)
    >>> [round(process.update(score), 2) for score in (0.1, 0.1, 0.9, 0.9, 0.9)]
    [1.0, 1.0, 2.9, 15.16, 101.07]
    """

    def __init__(self, *, mean: float) -> None:
        _check(mean)
        self.mean = mean
        self.value = 1.0
        self._wealth = [0.0] * len(_BETS)
        self._seen = 0

    def update(self, score: float, *, mean: float | None = None) -> float:
        """Bet on one more score (cut to 0..1) and return E.

        Args:
            score: x_t.
            mean: m_t from here on; it may depend on anything before this score, and on nothing after.
        """
        if mean is not None and mean != self.mean:
            _check(mean)
            self.mean = mean
        self._seen += 1
        gain = (min(max(score, 0.0), 1.0) - self.mean) / self.mean
        rest = (self._seen + 1) ** -0.5
        weight = self._seen**-0.5 - rest
        total, wealth = 0.0, self._wealth
        for i, share in enumerate(_BETS):
            wealth[i] = min((wealth[i] + weight) * (1.0 + share * gain), _LARGEST)
            total += wealth[i]
        self.value = total / len(_BETS) + rest
        return self.value


def _check(mean: float) -> None:
    if not 0 < mean < 1:
        raise ValueError(f"an e-process needs a mean between 0 and 1, got {mean}")


def e_bh(e_values: Mapping[str, float], alpha: float) -> Sequence[str]:
    """Return the runs whose null is rejected with false discovery rate at most ``alpha``.

    The k largest of K are, for the largest k with e_(k) ≥ K / (α k). Valid whatever depends on whatever:
    seeds share data and code.

    Args:
        e_values: Run -> e-value: an e-process read at any stopping time, such as the first suspicion or the
            end of the log. The largest value that it ever had is none.
        alpha: In (0, 1).

    Source: Wang & Ramdas 2022, arXiv:2009.02824.

    >>> e_bh({"a": 90.0, "b": 3.0, "c": 31.0}, 0.05)
    ('a', 'c')
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a rate between 0 and 1, got {alpha}")
    ranked = sorted(e_values, key=lambda run: (-e_values[run], run))
    adjusted = adjusted_e_values([e_values[run] for run in ranked])
    return tuple(run for run, e_value in zip(ranked, adjusted, strict=True) if e_value * alpha >= 1)
