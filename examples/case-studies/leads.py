"""Which measures moved before the held-out rise, as on the page Measures: ``leads.py STORE EXPERIMENT``."""

import argparse

import polars as pl
from reading import Study, study

from grokscope.cli.terminal import say, say_table
from grokscope.dashboard.tables.leads import OF_TRAINING, Leads, first_of, leads_of, said_of_p

SURE = 0.05
"""The largest q-value of a measure that is called earlier, or later."""


def leads(found: Study) -> Leads:
    """Return the leads of all measures; runs of one setting, which differ in their seed, count once."""
    groups = dict(found.snapshot.runs.select("run_id", "group").iter_rows())
    return leads_of(
        found.observed.curves.select("run_id", "metric", "step", "value"),
        found.snapshot,
        list(groups),
        configurations=groups,
    )


def is_sure() -> pl.Expr:
    """Return whether a measure is shown to lie on one side: over all configurations, and without any one."""
    return (pl.col("q_value") <= SURE) & (pl.col("worst_p_value").fill_null(1.0) <= 2 * SURE)


def main() -> None:
    """Print the leads of one experiment."""
    parser = argparse.ArgumentParser(description="Which measures moved before the held-out rise.")
    parser.add_argument("store")
    parser.add_argument("experiment")
    parser.add_argument("--most", type=int, default=20, help="measures to print")
    parser.add_argument("--shown", action="store_true", help="only those that are shown to lie on one side")
    asked = parser.parse_args()
    found = study(asked.store, asked.experiment)
    told = leads(found)
    _say(told, runs=found.snapshot.runs.height, most=asked.most, is_sure_only=asked.shown)


def _say(told: Leads, *, runs: int, most: int, is_sure_only: bool) -> None:
    members = told.members["run_id"].n_unique()
    say(f"{members} of {runs} runs, in {told.configurations} settings, have a delay to count leads in.")
    for why, count in told.left_out.group_by("why", maintain_order=True).len().iter_rows():
        say(f"left out: {count} runs: {why}")
    if told.pooled.is_empty():
        return
    say(said_of_p(told.configurations))
    enough = told.pooled.filter(pl.col("configurations") >= first_of(told.pooled)["configurations"].min())
    sure = enough.filter(is_sure())
    ahead, behind = (sure.filter(pl.col("median") > 0).height, sure.filter(pl.col("median") < 0).height)
    say(f"Of {enough.height} measures {ahead} are shown to lie before the rise and {behind} after it.")
    say("")
    shown = enough.with_columns(sure=is_sure()).filter(pl.col("role") != OF_TRAINING)
    shown = shown.filter("sure") if is_sure_only else shown
    titles = ("measure", "lead", "smallest", "largest", "runs", "settings", "q", "shown")
    rows = [
        (
            str(row["measure"]), f"{row['median']:+.2f}", f"{-row['latest']:+.2f}",
            f"{-row['earliest']:+.2f}", str(row["runs"]), str(row["configurations"]),
            f"{row['q_value']:.2g}", "yes" if row["sure"] else "no",
        )
        for row in shown.head(most).iter_rows(named=True)
    ]  # fmt: skip
    say_table(titles, rows, numbers=titles[1:7])


if __name__ == "__main__":
    main()
