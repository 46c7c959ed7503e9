"""Are forecasts of live runs hidden when curves show nothing, and calibrated when they are shown?

usage: python benchmarks/forecast.py

Experiments are drawn at random: 12 configurations, 32 runs; the delay is a matter of the params and of luck,
and the held-out loss shows the luck early, more or less. One run of each is live and cut at an eighth of the
budget. Then our own sweep: each configuration in turn is live. It takes some three minutes.
"""

from pathlib import Path

import numpy as np
import polars as pl

from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.live_forecast import Forecast, forecast
from grokscope.interventions.outcomes.target import Target

SWEEP = Path(__file__).parents[1] / "tests" / "data" / "sweep.parquet"
EXPERIMENTS, RUNS, BUDGET = 60, 32, 4000.0
AXES = ("intervention.regularization.weight_decay", "intervention.data.fraction")


def experiment(seed: int, signal: float) -> tuple[pl.DataFrame, pl.DataFrame, list[bool]]:
    rng = np.random.default_rng(seed)
    steps = np.unique(np.geomspace(10, BUDGET, 40).astype(int))
    frames, params, ends = [], [], []
    for run in range(RUNS):
        decay, rate, luck = (0.1, 0.3, 1.0, 3.0)[run % 4], (1, 2, 4)[run // 4 % 3], rng.normal()
        rises = 2500 * decay**-0.3 * np.exp(0.8 * luck)
        slope = -0.1 * luck * signal + 0.02 * rng.normal(size=len(steps))
        curves = {
            "test/accuracy": (steps >= rises).astype(float),
            "test/loss": np.exp(1 + slope * np.log(steps / 10)),
        }
        frames += [
            pl.DataFrame({"metric": name, "step": steps, "value": y}).with_columns(run_id=pl.lit(f"r{run}"))
            for name, y in curves.items()
        ]
        params.append((f"r{run}", decay, rate, run))
        ends.append(bool(rises <= steps[-1]))
    return (
        pl.concat(frames),
        pl.DataFrame(params, schema=["run_id", "decay", "rate", "seed"], orient="row"),
        ends,
    )


def of_live(
    curves: pl.DataFrame, params: pl.DataFrame, live: list[str], target: str, part: float
) -> Forecast:
    is_live = pl.col("run_id").is_in(live)
    history = History(
        curves=curves.filter(~is_live), params=params.filter(~is_live), target=Target.parse(target)
    )
    cut = curves.filter((pl.col("run_id") == live[0]) & (pl.col("step") <= part * BUDGET))
    return forecast(history, cut, params=params.filter(pl.col("run_id") == live[0]), budget=BUDGET)


def simulated() -> None:
    print("signal  shown/asked  Brier shown  its baseline  mean chance  share that reached")
    for signal in (1.0, 0.3, 0.1, 0.0):
        shown: list[tuple[float, float, bool]] = []
        asked = 0
        for seed in range(EXPERIMENTS):
            curves, params, ends = experiment(seed, signal)
            found = of_live(curves, params, [f"r{RUNS - 1}"], "test/accuracy>=0.9", 1 / 8)
            asked += found.calibration is not None
            if found.chance.value is not None and found.baseline is not None:
                shown.append((found.chance.value, found.baseline, ends[-1]))
        table = np.array(shown, dtype=float).reshape(-1, 3)
        scores = ((table[:, :2] - table[:, 2:]) ** 2).mean(axis=0) if len(table) else (np.nan, np.nan)
        means = table[:, (0, 2)].mean(axis=0) if len(table) else (np.nan, np.nan)
        print(
            f"{signal:>6} {len(shown):>5}/{asked:<5} {scores[0]:>11.3f} {scores[1]:>13.3f}",
            *(f"{m:>12.2f}" for m in means),
        )


def sweep() -> None:
    curves = pl.read_parquet(SWEEP, glob=False).rename({"run": "run_id"})
    params = curves.select("run_id", "seed", *AXES).unique().sort("run_id")
    print("our sweep: decay, fraction, shown, Brier, that of the params alone, of the share that reached, p")
    for decay, fraction in params.select(AXES).unique().sort(AXES).rows():
        live = params.filter((pl.col(AXES[0]) == decay) & (pl.col(AXES[1]) == fraction))["run_id"].to_list()
        found = of_live(curves, params, live, "test/accuracy>=0.95", 0.1)
        if (scores := found.calibration) is not None:
            briers = (scores.brier, scores.baseline_brier, scores.prevalence_brier, scores.p or 1.0)
            print(
                f"{decay:>6} {fraction:>5} {found.hidden is None!s:>6}", *(f"{one:>7.3f}" for one in briers)
            )


if __name__ == "__main__":
    simulated()
    sweep()
