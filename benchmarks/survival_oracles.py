"""What lifelines, surpyval and statsmodels make of random censored costs, in a Python of their own.

python benchmarks/survival_oracles.py FOLDER

builds a virtual environment in FOLDER (lifelines needs an older pandas than grokscope has), runs this file in
it and writes tests/data/survival_oracles.json: the data, all drawn at random here, and the values that
tests/interventions/survival/test_oracles.py compares with. A minute, most of it installing.
"""

# ruff: noqa: PLC0415 - what is imported inside of functions is only there in the environment that this builds

import json
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "tests/data/survival_oracles.json"
PACKAGES = ("lifelines==0.30.3", "pandas<3", "surpyval==0.25", "statsmodels==0.15.0")
DIGITS = 10
"""Significant ones that are written."""


def right_censored(rng, runs, *, share, ties):
    """Costs of which about a share ends at a random budget; on a grid where ties are wanted."""
    cost, budget = rng.lognormal(5, 0.8, runs), rng.lognormal(5.2, 0.8, runs)
    if share == 0:
        budget[:] = np.inf
    if ties:
        cost, budget = np.ceil(cost / 50) * 50, np.ceil(budget / 50) * 50
    reached = cost <= budget
    return np.where(reached, cost, budget), reached


def intervals(rng, runs, kind):
    """Bounds (low, high] of costs: between evaluations, below or above a budget, or of all kinds."""
    cost = rng.weibull(1.4, runs) * 200
    grid = rng.uniform(20, 80, runs)
    low, high = np.floor(cost / grid) * grid, np.ceil(cost / grid) * grid
    budget = rng.uniform(40, 400, runs)
    if kind == "current status":
        return np.where(cost > budget, budget, 0.0), np.where(cost > budget, np.inf, budget)
    if kind == "mixed":
        exact = rng.uniform(size=runs) < 0.3
        low, high = np.where(exact, cost, low), np.where(exact, cost, high)
        late = cost > budget
        low, high = np.where(late, budget, low), np.where(late, np.inf, high)
    return low, high


def plain(value):
    """As JSON has it: rounded, and no infinity."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def of_curve(rng, runs, **kind):
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time
    from statsmodels.stats.proportion import proportion_confint

    at, reached = right_censored(rng, runs, **kind)
    curve = KaplanMeierFitter().fit(at, reached)
    table, band = curve.event_table.iloc[1:], curve.confidence_interval_.iloc[1:]
    until, successes = float(np.median(at)), int(reached.sum())
    return {
        "at": at,
        "reached": reached,
        "cost": table.index.to_numpy(),
        "at_risk": table["at_risk"].to_numpy(),
        "share": curve.survival_function_.iloc[1:, 0].to_numpy(),
        "low": band.iloc[:, 0].to_numpy(),
        "high": band.iloc[:, 1].to_numpy(),
        "median": float(curve.median_survival_time_),
        "until": until,
        "restricted_mean": float(restricted_mean_survival_time(curve, t=until)),
        "proportion": proportion_confint(successes, runs, alpha=0.05, method="beta"),
    }


def of_test(rng, sizes, **kind):
    from lifelines.statistics import multivariate_logrank_test
    from statsmodels.duration.survfunc import survdiff

    at, reached = right_censored(rng, sum(sizes), **kind)
    group = np.repeat(np.arange(len(sizes)), sizes)
    test = multivariate_logrank_test(at, group, reached)
    return {
        "sizes": sizes,
        "at": at,
        "reached": reached,
        "lifelines": float(test.test_statistic),
        "statsmodels": float(survdiff(at, reached, group)[0]),
    }


def of_distribution(rng, runs, kind):
    import surpyval
    from lifelines import KaplanMeierFitter

    low, high = intervals(rng, runs, kind)
    found = {"kind": kind, "low": low, "high": high}
    with np.errstate(all="ignore"):
        model = surpyval.Turnbull.fit(
            xl=low, xr=high, tol=1e-12, max_iter=200_000, turnbull_estimator="Kaplan-Meier"
        )
        curve = KaplanMeierFitter().fit_interval_censoring(low, high, tol=1e-9)
    found["surpyval"] = {"cost": model.x, "share": model.R}
    bounds = curve.survival_function_
    found["lifelines"] = {"cost": bounds.index.to_numpy(), "share": bounds.iloc[:, 0].to_numpy()}
    return found


def of_regression(rng, runs, kind):
    import pandas as pd
    import surpyval
    from lifelines import LogNormalAFTFitter, WeibullAFTFitter

    low, high = intervals(rng, runs, kind)
    x, z = rng.normal(size=runs), (np.arange(runs) % 2).astype(float)
    low, high = low * np.exp(0.3 * x - 0.5 * z), high * np.exp(0.3 * x - 0.5 * z)
    positive = np.maximum(low, 1e-9)  # lifelines takes the logarithm of 0
    frame = pd.DataFrame({"low": positive, "high": high, "x": x, "z": z})
    found = {"kind": kind, "low": low, "high": high, "x": x, "z": z}
    for name, fitter, scale in (
        ("log-normal", LogNormalAFTFitter(), "sigma_"),
        ("Weibull", WeibullAFTFitter(), "rho_"),
    ):
        fitter.fit_interval_censoring(frame, "low", "high")
        location = next(key for key in fitter.params_.index.get_level_values(0) if key != scale)
        found[name] = {
            "log_likelihood": fitter.log_likelihood_,
            "intercept": fitter.params_[location]["Intercept"],
            "coefficients": [fitter.params_[location][each] for each in ("x", "z")],
            "shape": float(np.exp(fitter.params_[scale]["Intercept"])),
        }
        one = getattr(surpyval, name.title().replace("-", "")).fit(xl=positive, xr=high)
        found[name]["alone"] = {"log_likelihood": -float(one.neg_ll()), "median": float(one.qf(0.5))}
    return found


def of_ends(rng, runs, *, ties):
    from statsmodels.duration.survfunc import CumIncidenceRight

    at, ended = right_censored(rng, runs, share=0.3, ties=ties)
    end = np.where(ended, rng.integers(1, 4, runs), 0)
    model = CumIncidenceRight(at, end)
    return {"at": at, "end": end, "cost": model.times, "incidence": model.cinc}


def values():
    """All data and values."""
    rng = np.random.default_rng(15)
    kinds = [{"share": share, "ties": ties} for share in (0, 0.4) for ties in (False, True)]
    shapes = ("between evaluations", "current status", "mixed")
    return {
        "versions": {name: version(name) for name in ("lifelines", "surpyval", "statsmodels")},
        "curves": [of_curve(rng, runs, **kind) for kind in kinds for runs in (5, 24)],
        "tests": [of_test(rng, sizes, **kind) for kind in kinds for sizes in ([4, 5], [12, 15], [6, 8, 9])],
        "distributions": [of_distribution(rng, 24, kind) for kind in shapes],
        "regressions": [of_regression(rng, 40, kind) for kind in shapes],
        "ends": [of_ends(rng, 20, ties=ties) for ties in (False, True)],
    }


def main():
    folder = Path(sys.argv[1])
    if not (folder / "bin/python").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    if Path(sys.prefix).resolve() != folder.resolve():
        subprocess.run([folder / "bin/python", __file__, folder], check=True)
        return
    OUT.write_text(json.dumps(plain(values()), separators=(",", ":")) + "\n")
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
