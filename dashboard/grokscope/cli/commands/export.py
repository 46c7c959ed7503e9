"""``grokscope export``: points or verdicts of a store into one file."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from grokscope.cli import options
from grokscope.cli.runs.reviewed import as_reviewed
from grokscope.cli.terminal import progress, say
from grokscope.schemas import Verdict, store_uri
from grokscope.store import Store, open_store, under_roles
from grokscope.store.exporting import ExportError, export_parts, param_columns, write_points, write_verdicts
from grokscope.transitions import detect


class What(StrEnum):
    """What is exported."""

    POINTS = "points"
    VERDICTS = "verdicts"


def export(
    to: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where to: .parquet or .csv for points, .json for verdicts."),
    ],
    *,
    what: Annotated[
        What | None,
        typer.Option(
            help="Points or verdicts. Default: verdicts for .json, else points.", show_default=False
        ),
    ] = None,
    store: options.Store = None,
    experiment: Annotated[
        str | None, typer.Option(help="Only this experiment. Default: all.", show_default=False)
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Only this run, by id or name. Repeat it for several.", show_default=False
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="Only points of this metric. Repeat it for several.", show_default=False
        ),
    ] = None,
    params: Annotated[
        bool, typer.Option("--params", help="Points with the params of their run, a column each.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write curves, or verdicts computed anew and as people reviewed them, of a store into one file.

    Text cells that a spreadsheet would take for formulas get a ' in front; 'grokscope import' removes it.

    Example: grokscope export --experiment parity --to points.parquet
    """
    what = what or (What.VERDICTS if to.suffix.lower() == ".json" else What.POINTS)
    if what is What.VERDICTS and (metric or params):
        raise ExportError(
            "--metric and --params are of points; leave them out, or export to .parquet or .csv"
        )
    opened = open_store(store_uri(store))
    runs = _chosen(opened.runs(experiment), run or [])
    with progress(transient=True) as bar:
        task = bar.add_task("exporting runs", total=runs.height)
        if what is What.POINTS:
            columns = param_columns(opened, runs) if params else None

            def counted() -> Iterator[pl.DataFrame]:
                for part in export_parts(opened, runs, metrics=metric, params=columns):
                    yield part
                    bar.advance(task, part["run"].n_unique())

            count = write_points(counted(), to, force=force)
        else:
            count = write_verdicts(_verdicts(opened, runs), to, force=force)
        bar.update(task, completed=runs.height)
    say(f"{count:,} {what} of {runs.height:,} runs in {to}")


def _chosen(runs: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    missing = [name for name in wanted if name not in {*runs["run_id"], *runs["name"]}]
    if missing:
        shown = ", ".join(map(repr, runs["name"].head(5))) or "none"
        raise ExportError(f"there is no run {missing[0]!r}; the newest there: {shown}")
    return runs.filter(pl.col("run_id").is_in(wanted) | pl.col("name").is_in(wanted)) if wanted else runs


def _verdicts(store: Store, runs: pl.DataFrame) -> list[Verdict]:
    found: list[Verdict] = []
    for (experiment,), some in runs.group_by("experiment", maintain_order=True):
        overrides = store.aliases(str(experiment))
        found.extend(detect(under_roles(store.points(some["run_id"].to_list()), overrides)))
    return as_reviewed(found, store)
