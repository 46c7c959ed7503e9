"""Published runs of S5 composition by three optimizers as one tidy table: ``muon.py CURVES OUT``.

CURVES has the columns ``run, step, metric, value`` of the logs of PeterPonyu/muon-norm-cap-grokking, as
Parquet; OUT keeps the accuracies of the runs whose names say optimizer, config and seed: their params.
"""

import argparse
from pathlib import Path

import polars as pl

_METRICS = ("train/accuracy", "test/accuracy")
_NAMED = (
    r"/s5_(?P<study>mech|rescue)__(?P<optimizer>adamw|muon|sgdm)"
    r"_(?P<config>\w+?[\d.]+_wd[\d.]+)_s(?P<seed>\d+)$"
)


def s5(curves: pl.DataFrame) -> pl.DataFrame:
    """Return the accuracies of the runs on S5, with ``study, optimizer, config, seed``.

    Args:
        curves: ``run, step, metric, value``; other runs and metrics are left out.

    >>> point = {"run": "x/s5_mech__muon_sc1.0_wd0.01_s2", "metric": "test/accuracy", "step": 1, "value": 0.5}
    >>> s5(pl.DataFrame(point)).row(0)[-4:]
    ('mech', 'muon', 'sc1.0_wd0.01', 2)
    """
    mine = curves.filter(pl.col("metric").is_in(_METRICS), pl.col("run").str.contains(_NAMED))
    named = pl.col("run").str.extract_groups(_NAMED)
    texts = {name: named.struct.field(name) for name in ("study", "optimizer", "config")}
    seed = named.struct.field("seed").cast(pl.Int64)
    return mine.select("run", "step", "metric", "value", **texts, seed=seed)


def main() -> None:
    """Read one table and write the other."""
    parser = argparse.ArgumentParser(description="Published runs of S5 composition as one tidy table.")
    parser.add_argument("curves", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    table = s5(pl.read_parquet(asked.curves, glob=False))
    table.write_parquet(asked.out)
    for optimizer, part in table.sort("optimizer").group_by("optimizer", maintain_order=True):
        configs = part.group_by("study", "config").agg(pl.col("run").n_unique()).sort("study", "config")
        told = ", ".join(f"{study} {config} ({runs})" for study, config, runs in configs.iter_rows())
        print(f"{optimizer[0]}: {part['run'].n_unique()} runs: {told}")


if __name__ == "__main__":
    main()
