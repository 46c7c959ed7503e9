"""How often the rule passes by chance where somebody looks after every run."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate

from grokscope.interventions.noise.peeking import Rule, inflation
from grokscope.interventions.rules.speedrun.record import SpeedrunRecord


def pooled_sd(records: Mapping[str, SpeedrunRecord]) -> tuple[float | None, int]:
    """Return the standard deviation of a run, pooled over groups, and its degrees of freedom.

        √(Σ (n - 1) sd² / Σ (n - 1))

    It is ``None`` where no group has two runs.

    >>> record = SpeedrunRecord(group="a", n=3, sd=0.001)
    >>> sd, df = pooled_sd({"a": record, "b": replace(record, n=2, sd=0.002)})
    >>> round(sd, 6), df
    (0.001414, 3)
    """
    spreads = [
        (one.n - 1, one.sd) for one in records.values() if one.sd is not None and math.isfinite(one.sd)
    ]
    df = sum(free for free, _ in spreads)
    return (math.sqrt(sum(free * sd**2 for free, sd in spreads) / df) if df else None), df


def with_inflation(records: Mapping[str, SpeedrunRecord], *, margin: float) -> dict[str, SpeedrunRecord]:
    """Return the records with the chance that the rule passes at any look up to their n without a gain.

    The mean is exactly at the target, runs are Gaussian with the pooled sd, and the rule is read after each
    run until it holds. Where there is no pooled sd, or it is 0, the chance is not known.

    >>> record = SpeedrunRecord(group="a", n=10, sd=0.0015)
    >>> 0.01 < with_inflation({"a": record}, margin=0.004)["a"].inflation < 0.03
    True
    """
    sd, _ = pooled_sd(records)
    if not sd:
        return dict(records)
    rule = Rule(name="margin", bound=margin)
    looks = sorted({one.n for one in records.values() if one.n})
    simulated = [inflation(rule, last=n, sd=sd).value or 0.0 for n in looks]
    # Each is simulated by itself; more looks never pass less often.
    chances = dict(zip(looks, accumulate(simulated, max), strict=True))
    return {name: replace(one, inflation=chances.get(one.n)) for name, one in records.items()}
