"""``grokscope detect``: find and date the transitions of runs, from a file or a store."""

from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.points_file import is_points_file, read_points
from grokscope.cli.verdict_table import verdict_table
from grokscope.schemas import GrokscopeError, Verdict, verdict_to_json
from grokscope.store import open_store
from grokscope.transitions import detect as detect_transitions


class DetectError(GrokscopeError):
    """A command that cannot be carried out as given."""


def detect(
    source: Annotated[
        str,
        typer.Argument(
            help="A file of points (.parquet, .csv, .jsonl with columns step, metric, value and optionally "
            "run), or an MLflow URI together with --experiment.",
            metavar="SOURCE",
        ),
    ],
    *,
    experiment: Annotated[
        str | None, typer.Option(help="Experiment in the store.", show_default=False)
    ] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table for people, or one JSON verdict a line.")
    ] = options.Format.TABLE,
    write: Annotated[
        bool, typer.Option("--write", help="Put each verdict on its run in the store: tags and an artifact.")
    ] = False,
) -> None:
    """Find and date the transitions of every run: memorized, onset, generalized, collapsed."""
    if is_points_file(source):
        if write:
            raise DetectError(
                f"--write needs a store to write to, got the file {source!r}; leave --write away"
            )
        verdicts, names = detect_transitions(read_points(source)), {}
    else:
        verdicts, names = _detect_in_store(source, experiment, write=write)
    if output is options.Format.JSON:
        for verdict in verdicts:
            typer.echo(verdict_to_json(verdict))
    elif verdicts:
        typer.echo(verdict_table(verdicts, names))
    else:
        typer.echo("no runs", err=True)


def _detect_in_store(
    uri: str, experiment: str | None, *, write: bool
) -> tuple[list[Verdict], dict[str, str]]:
    store = open_store(uri)
    if experiment is None:
        known = ", ".join(repr(name) for name in store.experiments()["name"]) or "none"
        raise DetectError(f"a store needs --experiment NAME; there: {known}")
    runs = store.runs(experiment)
    names = dict(zip(runs["run_id"], runs["name"], strict=True))
    verdicts = detect_transitions(store.points(list(names)))
    if write:
        with typer.progressbar(
            verdicts, label="writing verdicts", file=typer.get_text_stream("stderr")
        ) as bar:
            for verdict in bar:
                store.write_verdict(verdict)
    return verdicts, names
