"""``python -m grokscope.experiments.ordinary FILE [NAME ...]``: train them, and write what they logged.

FILE is Parquet with run, step, metric and value, in the order logged; names choose trainings, else all.
"""

import sys
import time
from pathlib import Path

import polars as pl
import torch

from grokscope.experiments.ordinary import TRAININGS, Training

_DIGITS = 5
# What the clock says is never the same again.
_CLOCK = ("collector/", "progress/seconds")


def recorded(training: Training) -> pl.DataFrame:
    """Train to the end; return one row a value, rounded to five significant digits."""
    rows = [
        (training.__name__, step, metric, value)
        for step, values in training()
        for metric, value in values.items()
        if not metric.startswith(_CLOCK)
    ]
    schema = {"run": pl.String, "step": pl.Int64, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col("value").round_sig_figs(_DIGITS)
    )


def main() -> None:
    """Train one after the other on one thread, so that the numbers are the same again."""
    torch.set_num_threads(1)
    path, names = Path(sys.argv[1]), sys.argv[2:]
    frames: list[pl.DataFrame] = []
    for training in TRAININGS:
        if names and training.__name__ not in names:
            continue
        begin = time.perf_counter()
        frames.append(recorded(training))
        seconds = time.perf_counter() - begin
        print(f"{training.__name__:24} {seconds:5.1f} s {len(frames[-1]):6} points")  # noqa: T201
    pl.concat(frames).write_parquet(path, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
