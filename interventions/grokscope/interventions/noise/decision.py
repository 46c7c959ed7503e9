"""Whether a gain stands out of the noise floor, and how many more seeds would tell."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import nctdtr, stdtr, stdtrit

from grokscope.interventions.contrasts.samples import SampleError
from grokscope.interventions.noise.floor import NoiseFloor

MOST = 100_000
"""Seeds beyond which nobody is advised to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a gain is against the noise of a seed.

    Attributes:
        verdict: ``"gain"``, ``"loss"`` or ``"undecided"``.
        sigmas: The gain in standard deviations of one seed.
        p: Two-sided, by Student's t with the floor's degrees of freedom; for one look.
        low, high: Interval of the gain, in its own unit.
        more: Seeds to add to each group so that the test finds a gain of this size; ``None`` where decided,
            or where no number up to ``MOST`` would do.
        more_low, more_high: The same with the sd at the ends of its interval.
        sentence: All this in words.
    """

    verdict: Literal["gain", "loss", "undecided"]
    sigmas: float
    p: float
    low: float
    high: float
    more: int | None
    more_low: int | None
    more_high: int | None
    sentence: str


def decide(  # noqa: PLR0913 -- a test has a level and a power
    gain: float,
    floor: NoiseFloor,
    n_a: int,
    n_b: int | None = None,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Decision:
    """Return whether a difference of means stands out of the noise floor.

        t = gain / (s √(1/n_a + 1/n_b)),   more: the smallest m with
        P(|T| > t_crit) ≥ power, T noncentral t with δ = gain / (s √(1/(n_a + m) + 1/(n_b + m)))

    The number of seeds holds if the true gain is the one seen. It is itself uncertain: half the gain needs
    four times the seeds, and the interval of an undecided gain holds 0.

    Args:
        gain: Mean of group a less that of b (or than a fixed target), signed so that a gain is positive.
        floor: Of the same metric, with configurations like these.
        n_a: Seeds of group a.
        n_b: Seeds of group b; ``None`` if it is a fixed target.
        alpha: Two-sided error of one look. To look again after each seed, use an e-process.
        power: Chance to find a gain of this size.

    Returns:
        The verdict, with its numbers and a sentence.

    Raises:
        SampleError: If the floor has no sd, a group is empty, or a number is out of range.

    Source: noncentral t (Cohen 1988), as ``statsmodels.stats.power``.

    >>> from grokscope.interventions.noise.floor import noise_floor
    >>> floor = noise_floor([3.279, 3.281, 3.270, 3.272, 3.274], ["a", "a", "b", "b", "b"])
    >>> decision = decide(0.002, floor, 4, 4)
    >>> decision.verdict, decision.more, decision.sentence[:52]
    ('undecided', 11, 'this gain is 1.1 sd of a seed: undecided (p = 0.22);')
    """
    sd = floor.sd.value
    if sd is None or not sd > 0:
        raise SampleError(f"a gain needs a noise floor above 0 to be judged by: {floor.sd.missing or sd}")
    if n_a < 1 or (n_b is not None and n_b < 1) or not math.isfinite(gain):
        raise SampleError(f"a finite gain and seeds in each group are needed, got {gain}, {n_a} and {n_b}")
    if not (0 < alpha < 1 and 0 < power < 1):
        raise SampleError(f"alpha and power are between 0 and 1, got {alpha} and {power}")
    error = sd * _width(n_a, n_b)
    p = 2 * float(stdtr(floor.df, -abs(gain) / error))
    half = float(stdtrit(floor.df, 1 - alpha / 2)) * error
    more = [
        _more(abs(gain) / spread, floor.df, n_a, n_b, (alpha, power)) if spread and p > alpha else None
        for spread in (sd, floor.sd.low, floor.sd.high)
    ]
    verdict = "undecided" if p > alpha else ("gain" if gain > 0 else "loss")
    interval = gain - half, gain + half
    return Decision(
        verdict=verdict,
        sigmas=gain / sd,
        p=p,
        low=interval[0],
        high=interval[1],
        more=more[0],
        more_low=more[1],
        more_high=more[2],
        sentence=_sentence(gain / sd, p, verdict, more, grouped=n_b is not None),
    )


def _width(n_a: int, n_b: int | None) -> float:
    return math.sqrt(1 / n_a + (1 / n_b if n_b else 0.0))


def _more(effect: float, df: int, n_a: int, n_b: int | None, rates: tuple[float, float]) -> int | None:
    """Return the smallest number of seeds to add to each group, at least one."""
    alpha, power = rates

    def enough(m: int) -> bool:
        freedom = df + (m if n_b is None else 2 * m)
        shift = effect / _width(n_a + m, n_b + m if n_b else None)
        bound = float(stdtrit(freedom, 1 - alpha / 2))
        # Far from the bounds the distribution function is NaN in place of the 0 that it has there.
        missed, opposite = np.nan_to_num(nctdtr(freedom, shift, np.array([bound, -bound])))
        return bool(1 - missed + opposite >= power)

    if not enough(MOST):
        return None
    low, high = 0, 1
    while not enough(high):
        low, high = high, high * 2
    while high - low > 1:
        m = (low + high) // 2
        low, high = (low, m) if enough(m) else (m, high)
    return high


def _sentence(sigmas: float, p: float, verdict: str, more: list[int | None], *, grouped: bool) -> str:
    start = f"this gain is {sigmas:.2g} sd of a seed: {verdict} (p = {p:.2g})"
    if verdict != "undecided":
        return start
    if more[0] is None:
        return f"{start}; no number of seeds up to {MOST} would settle a gain of this size"
    seeds = f"{more[0]} more seed{'s' if more[0] > 1 else ''}{' a group' if grouped else ''}"
    ends = f"{more[1]} to {more[2] if more[2] is not None else f'over {MOST}'}"
    return (
        f"{start}; {seeds} would settle it if the true gain is this large "
        f"({ends} as the sd is not known exactly; half the gain needs four times the seeds)"
    )
