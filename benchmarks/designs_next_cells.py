"""Whether suggested cells find a boundary sooner than cells drawn at random: one line on stdout.

python benchmarks/designs_next_cells.py [SWEEPS]     40 sweeps by default, about a minute

Each sweep begins with 12 runs at random in a grid of 8 by 6, and goes on with 20 more, four at a time: where
``next_cells`` suggests, or at random. What counts is the share of the span that lies on the wrong side of the
boundary that is then fitted.
"""

import sys

import numpy as np
import polars as pl
from scipy import special

from grokscope.interventions.designs.boundary import model_of, outcomes
from grokscope.interventions.designs.next_cells import next_cells

X, Y = (
    each.ravel() for each in np.meshgrid(np.geomspace(0.1, 10, 8), np.linspace(0.2, 0.6, 6), indexing="ij")
)


def log_odds(x, y):
    return 4 * (np.log10(x) + 12 * (y - 0.42))


def trained(rng, x, y) -> pl.DataFrame:
    reached = rng.random(len(x)) < special.expit(log_odds(x, y))
    return pl.DataFrame({"x": x, "y": y, "reached": reached, "high": 1.0, "spent": 1.0})


def wrong_side(runs: pl.DataFrame) -> float:
    model = model_of(outcomes(runs, ("x", "y"), budget=None), ("x", "y"))
    if isinstance(model, str):
        return 0.5
    x, y = (each.ravel() for each in np.meshgrid(np.geomspace(0.1, 10, 30), np.linspace(0.2, 0.6, 30)))
    return float(np.mean((model.share(x, y) > 0.5) != (log_odds(x, y) > 0)))


def at_random(rng, count: int) -> pl.DataFrame:
    places = rng.choice(len(X), count, replace=False)
    return trained(rng, X[places], Y[places])


def sweep(seed: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(seed)
    begun = at_random(rng, 12)
    suggested = drawn = begun
    for _ in range(5):
        cells = pl.DataFrame(next_cells(suggested, x="x", y="y", count=4).settings(), schema=["x", "y"])
        suggested = pl.concat([suggested, trained(rng, cells["x"].to_numpy(), cells["y"].to_numpy())])
        drawn = pl.concat([drawn, at_random(rng, 4)])
    return wrong_side(begun), wrong_side(suggested), wrong_side(drawn)


def main() -> None:
    sweeps = np.array([sweep(seed) for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 40)])
    begun, suggested, drawn = sweeps.mean(axis=0)
    sooner = np.mean(sweeps[:, 1] < sweeps[:, 2])
    print(f"wrong side: {begun:.1%} at first, {suggested:.1%} where suggested, {drawn:.1%} at random;")
    print(f"suggestions are better in {sooner:.0%} of {len(sweeps)} sweeps")


if __name__ == "__main__":
    main()
