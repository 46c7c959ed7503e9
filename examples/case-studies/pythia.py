"""LAMBADA over Pythia's checkpoints as one tidy table: ``pythia.py CURVES.parquet OUT.parquet``.

CURVES has the columns ``run, step, metric, value`` of EleutherAI's published evaluations; OUT keeps accuracy
and loss of the zero-shot runs, and says of each model what its name says.
"""

import argparse
import re
from pathlib import Path

import polars as pl

ACCURACY, LOSS = "lambada_openai/acc", "lambada_openai/loss"
"""``LOSS`` is the logarithm of the published perplexity, in nats a word."""
TOKENS_A_STEP = 2_097_152
"""1,024 sequences of 2,048 tokens, the same for every size (Biderman et al. 2023, arXiv:2304.01373, §2)."""

_NAMED = re.compile(r"pythia-(?P<size>[\d.]+)(?P<unit>[mb])(?:-bf16)?(?P<deduped>-deduped)?__zero-shot$")
_BILLIONS = {"m": 1e-3, "b": 1.0}


def lambada(curves: pl.DataFrame) -> pl.DataFrame:
    """Return the evaluations with billions of parameters and training FLOPs (6 · parameters · tokens).

    Args:
        curves: ``run, step, metric, value``; other runs and metrics are left out.

    >>> point = {"run": "pythia/pythia-v1__pythia-70m-deduped__zero-shot", "metric": ACCURACY}
    >>> lambada(pl.DataFrame({**point, "step": 512, "value": 0.1})).row(0)[-3:]
    (0.07, 'yes', 4.5097156608000006e+17)
    """
    runs = [run for run in curves["run"].unique().sort() if _NAMED.search(run)]
    sizes = {run: _billions(run) for run in runs}
    is_loss = pl.col("metric") == "lambada_openai/ppl"
    mine = curves.filter(is_loss | (pl.col("metric") == ACCURACY), pl.col("run").is_in(runs)).with_columns(
        metric=pl.when(is_loss).then(pl.lit(LOSS)).otherwise("metric"),
        value=pl.when(is_loss).then(pl.col("value").log()).otherwise("value"),
    )
    size = pl.col("run").replace_strict(sizes, return_dtype=pl.Float64())
    deduplicated = (
        pl.when(pl.col("run").str.contains("-deduped__")).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    table = mine.select("run", "step", "metric", "value", billions=size, deduplicated=deduplicated)
    return table.with_columns(flops=6e9 * pl.col("billions") * TOKENS_A_STEP * pl.col("step"))


def _billions(run: str) -> float:
    found = _NAMED.search(run)
    return 0.0 if found is None else round(float(found["size"]) * _BILLIONS[found["unit"]], 6)


def main() -> None:
    """Read one table and write the other."""
    parser = argparse.ArgumentParser(description="LAMBADA over Pythia's checkpoints as one tidy table.")
    parser.add_argument("curves", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    table = lambada(pl.read_parquet(asked.curves, glob=False))
    table.write_parquet(asked.out)
    runs, sizes, steps = (table[name].n_unique() for name in ("run", "billions", "step"))
    print(f"{runs} models of {sizes} sizes, {steps} checkpoints")


if __name__ == "__main__":
    main()
