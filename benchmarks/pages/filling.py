"""The same runs in a store of MLflow and in one of Trackio: curves that fit early and generalize late."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

POINTS = 150
STEPS = np.unique(np.geomspace(1, 10_000, 2 * POINTS).astype(int))[::2][:POINTS]
EXPERIMENT = "workbench"


def runs(count: int) -> pl.DataFrame:
    """Return ``run, step, metric, value, weight_decay, seed`` of runs, ten of each weight decay."""
    rng = np.random.default_rng(0)
    fit, late = rng.lognormal(4, 0.3, count), rng.lognormal(7.5, 0.7, count)
    frames = []
    for run in range(count):
        accuracy = {"train": fit[run], "test": late[run]}
        shares = {name: 1 / (1 + (at / STEPS) ** 6) for name, at in accuracy.items()}
        noise = rng.normal(0, 0.004, (4, STEPS.size))
        curves = {f"{name}/accuracy": share + noise[i] for i, (name, share) in enumerate(shares.items())}
        curves |= {f"{name}/loss": 4 * (1 - share) + 0.01 + abs(noise[2]) for name, share in shares.items()}
        frame = pl.DataFrame({"step": STEPS, **curves}).unpivot(index="step", variable_name="metric")
        frames.append(
            frame.with_columns(run=pl.lit(f"run {run}"), seed=run % 10, weight_decay=run // 10 * 0.01)
        )
    return pl.concat(frames)


def fill_mlflow(frame: pl.DataFrame, folder: Path) -> str:
    """Import the runs into a store of MLflow; return its URI."""
    store = f"sqlite:///{folder}/mlflow.db"
    if not (folder / "mlflow.db").exists():
        log = folder / "runs.parquet"
        frame.write_parquet(log)
        command = [sys.executable, "-m", "grokscope.cli.main", "import", str(log), "--store", store]
        environment = {**os.environ, "GROKSCOPE_HOME": str(folder / "importing")}
        subprocess.run([*command, "--experiment", EXPERIMENT], check=True, env=environment)
    return store


def fill_trackio(frame: pl.DataFrame, folder: Path) -> Path:
    """Log the runs into Trackio's own store; return its folder."""
    place = folder / "trackio"
    if not place.exists():
        place.mkdir()
        os.environ["TRACKIO_DIR"] = str(place)
        from trackio.sqlite_storage import SQLiteStorage  # noqa: PLC0415 - it reads its place when imported

        for (run, decay, seed), part in frame.group_by("run", "weight_decay", "seed", maintain_order=True):
            wide = part.pivot("metric", index="step", values="value").sort("step")
            rows = wide.drop("step").to_dicts()
            settings = {"weight_decay": decay, "seed": seed}
            SQLiteStorage.bulk_log(EXPERIMENT, str(run), rows, steps=wide["step"].to_list(), config=settings)
    return place
