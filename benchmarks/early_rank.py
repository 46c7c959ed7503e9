"""How well early ranks tell the end: speedrun logs (annealed, planned lengths differ) and AlgoPerf trials.

usage: python benchmarks/early_rank.py FOLDER

FOLDER holds ``speedrun_track3.parquet``, ``algoperf_v05_external.parquet`` and
``algoperf_v05_targets.json``. It takes some ten seconds.
"""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

from grokscope.interventions.forecast.early_rank import early_ranks
from grokscope.interventions.outcomes.target import Target

STEPS = (500, 1000, 1500, 2000, 2500)
DOWN = {"loss", "wer", "ctc_loss"}
PARTS = (0.05, 0.1, 0.2, 0.4, 0.7)


def speedrun(folder: Path) -> None:
    curves = pl.read_parquet(folder / "speedrun_track3.parquet", glob=False).rename({"run": "run_id"})
    target = Target.parse("val_loss<=3.28")
    print("speedrun: goodness at a step, over runs; then over record folders")
    print(early_ranks(curves, target, STEPS))
    print(early_ranks(curves.rename({"record": "group"}), target, STEPS))


def algoperf(folder: Path) -> None:
    curves = pl.read_parquet(folder / "algoperf_v05_external.parquet", glob=False).rename({"run": "run_id"})
    workloads = json.loads((folder / "algoperf_v05_targets.json").read_text("utf-8"))["workloads"]
    rows = []
    for workload, one in workloads.items():
        part = curves.filter(pl.col("workload") == workload)
        name = one["target_metric_name"]
        metric, sign = f"validation/{name}", "<=" if name in DOWN else ">="
        if part.filter(pl.col("metric") == metric).is_empty():
            continue
        last = (
            part.filter(pl.col("metric") == metric)
            .group_by("run_id")
            .agg(pl.col("step").max())["step"]
            .median()
        )
        found = early_ranks(part, Target(metric=metric, sign=sign, level=0.0), [p * last for p in PARTS])
        rows.append(found.with_columns(part=pl.Series(PARTS), workload=pl.lit(workload)))
    table = pl.concat(rows)
    print("AlgoPerf: Spearman of trials at a part of the median trial's steps, by workload")
    print(
        table.pivot("part", index="workload", values="spearman").with_columns(pl.exclude("workload").round(2))
    )
    ratio = table.group_by("part", maintain_order=True).agg(
        pl.col("spearman").median(),
        share=(pl.col("regret") / pl.col("regret_by_chance")).replace(np.nan, None).median(),
    )
    print("median over workloads; share: regret of keeping the best quarter, over that of a random quarter")
    print(ratio)


if __name__ == "__main__":
    with pl.Config(tbl_rows=40, tbl_cols=12, tbl_width_chars=160):
        speedrun(Path(sys.argv[1]))
        algoperf(Path(sys.argv[1]))
