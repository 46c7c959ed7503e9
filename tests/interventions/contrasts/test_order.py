"""Which runs cost surely less or more, by sorting, against all pairs one by one."""

import numpy as np
import pytest

from grokscope.interventions.contrasts.order import less_and_more
from grokscope.interventions.outcomes.costs import CensoredCosts


def costs(rng, size):
    low = rng.integers(0, 6, size).astype(float)
    high = low + rng.integers(0, 3, size)
    return CensoredCosts(low, np.where(rng.random(size) < 0.2, np.inf, high))


def surely_more(low, high, other):
    return low > other or (low == other and high > low)


@pytest.mark.parametrize("seed", range(20))
def test_counts_are_those_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    a, b = costs(rng, 12), costs(rng, 9)
    less, more = less_and_more(a, b)
    ends = list(zip(b.low, b.high, strict=True))
    for place, (low, high) in enumerate(zip(a.low, a.high, strict=True)):
        assert less[place] == sum(surely_more(one, other, high) for one, other in ends)
        assert more[place] == sum(surely_more(low, high, other) for _, other in ends)
