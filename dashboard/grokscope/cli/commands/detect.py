"""``grokscope detect``: find and date the transitions of runs, from a file or a store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import polars as pl
import typer

from grokscope.cli import options
from grokscope.cli.aliases import Alias, aliases_in, keep_aliases
from grokscope.cli.engines import Address, Engine, EngineName, workers_of
from grokscope.cli.log_files import NamedPoints, ReadAs, is_log_file, named_points, read_logs, say_skipped
from grokscope.cli.read_as import read_as
from grokscope.cli.runs.reviewed import as_reviewed
from grokscope.cli.terminal import say, say_json, shown
from grokscope.cli.verdict_table import say_verdicts
from grokscope.dashboard.tables.training_ends import training_ends
from grokscope.importing import Limits, limits_for
from grokscope.schemas import GrokscopeError, Pattern, Verdict, verdict_to_json
from grokscope.schemas.frames import DATES_IN_THOUSANDTHS
from grokscope.schemas.runs.step_unit import runs_in_thousandths
from grokscope.store import Store, open_store, under_roles
from grokscope.transitions import DEFINITIONS, NATIVE, definition_of
from grokscope.transitions import detect as detect_transitions
from grokscope.transitions import sensitivity as sensitivity_of

_MOST_NAMED = 5


class DetectError(GrokscopeError):
    """A command that cannot be carried out as given."""


def detect(
    source: Annotated[
        str,
        typer.Argument(
            help="Logs: a file or folder, whatever 'grokscope import' takes; or an MLflow URI together with "
            "--experiment.",
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
    definition: Annotated[
        str, typer.Option(metavar="NAME", help=f"Whose grokking step to give: {', '.join(DEFINITIONS)}.")
    ] = NATIVE,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Instead, each run's grokking step under every definition."),
    ] = False,
    engine: Engine = EngineName.LOCAL,
    address: Address = None,
    alias: Alias = None,
    kind: options.Kind = None,
    pattern: options.Patterns = None,
    step: options.Step = None,
    max_points: options.MaxPoints = Limits().points,
) -> None:
    """Find and date the transitions of every run: memorized, onset, midpoint, completion, collapse.

    Example: grokscope detect logs/ --format json
    """
    aliases, _ = aliases_in(alias), definition_of(definition)  # a wrong name is told before anything is read
    if sensitivity and write:
        raise DetectError("--sensitivity reports and writes nothing, got --write too; leave one of them away")
    if is_log_file(source):
        _check_not_written(source, write=write)
        read_as = ReadAs(kind=kind, patterns=pattern or (), step=step, limits=limits_for(max_points))
        (log, is_whole), store = _logs_in_files(source, read_as), None
    else:
        log, store, is_whole = *_log_in_store(source, experiment), True
        if write:
            keep_aliases(store, str(experiment), aliases)
        aliases = {**store.aliases(str(experiment)), **aliases}
    points = under_roles(log.points, aliases)
    _say_thousandths(log.in_thousandths, log.names)
    with workers_of(engine, address) as workers:
        report = sensitivity_of(points, workers=workers) if sensitivity else None
        judged = [] if sensitivity else detect_transitions(points, definition=definition, workers=workers)
    verdicts = [_counted(one, log) for one in judged]
    if report is not None:
        _say_sensitivity(report, log.names, output)
        raise typer.Exit(0 if is_whole else 1)
    if write and store is not None:
        _write(verdicts, store)  # the detector's own: reviews stay tags of their own beside them
    if store is not None:
        verdicts = as_reviewed(verdicts, store)
    _say(verdicts, log.names, output, points=points)
    if output is options.Format.TABLE:
        _say_readings(log, aliases)
    if not is_whole:
        raise typer.Exit(1)


def _check_not_written(source: str, *, write: bool) -> None:
    if write:
        raise DetectError(f"--write needs a store to write to, got the file {source!r}; leave --write away")


def _say_readings(log: NamedPoints, aliases: Mapping[str, str]) -> None:
    """Print what names were read as, where that is a guess."""
    together = log.points.group_by("run_id").agg(pl.col("metric").unique().sort())["metric"].to_list()
    lines = {line for metrics in {tuple(logged) for logged in together} for line in read_as(metrics, aliases)}
    for line in sorted(lines):
        say(line)


def _say_thousandths(runs: frozenset[str], names: Mapping[str, str]) -> None:
    fractional = sorted(shown(names.get(run, run)) for run in runs)
    if fractional:
        more = f" and {len(fractional) - _MOST_NAMED} more" if len(fractional) > _MOST_NAMED else ""
        say(f"{', '.join(fractional[:_MOST_NAMED])}{more}: {DATES_IN_THOUSANDTHS}", err=True)


def _counted(verdict: Verdict, log: NamedPoints) -> Verdict:
    """Return the verdict with the sentence that its dates are in thousandths, if they are."""
    if verdict.run not in log.in_thousandths:
        return verdict
    return replace(verdict, missing=(*verdict.missing, DATES_IN_THOUSANDTHS))


def _say(
    verdicts: Sequence[Verdict], names: Mapping[str, str], output: options.Format, *, points: pl.DataFrame
) -> None:
    if output is options.Format.JSON:
        for verdict in verdicts:
            say_json(verdict_to_json(verdict))
    elif verdicts:
        with_levels = {verdict.run for verdict in verdicts if verdict.pattern is Pattern.COMPREHENSION}
        ends = training_ends(points, run_ids=with_levels) if with_levels else {}
        say_verdicts(verdicts, names, trained=ends)
    else:
        say("no runs", err=True)


def _say_sensitivity(report: pl.DataFrame, names: Mapping[str, str], output: options.Format) -> None:
    """Print one row a run and definition; ``*`` marks runs whose answer is a matter of definition."""
    if output is options.Format.JSON:
        for line in filter(None, report.write_ndjson().split("\n")):
            say_json(line)
        return
    for row in report.iter_rows(named=True):
        name = f"{shown(names.get(row['run_id'], row['run_id']))}{' *' if row['depends'] else ''}"
        date = "–" if row["step"] is None else f"{row['step']:,} [{row['low']:,}, {row['high']:,}]"
        say(f"{name}\t{row['definition']}\t{date}")


def _logs_in_files(source: str, read_as: ReadAs) -> tuple[NamedPoints, bool]:
    """Return the points of logs, and whether all of them could be read."""
    _, parsed = read_logs(source, read_as)
    log = named_points(parsed)
    for run, notes in log.notes.items():
        for note in notes:
            say(f"run {shown(log.names[run])}: {shown(note)}", err=True)
    say_skipped(parsed.skipped)
    return log, not any(one.is_error for one in parsed.skipped)


def _log_in_store(uri: str, experiment: str | None) -> tuple[NamedPoints, Store]:
    store = open_store(uri)
    if experiment is None:
        known = ", ".join(repr(name) for name in store.experiments()["name"]) or "none"
        raise DetectError(f"a store needs --experiment NAME; there: {known}")
    runs = store.runs(experiment)
    names: dict[str, str] = dict(zip(runs["run_id"], runs["name"], strict=True))
    # Stored verdicts do not repeat what the import has said of a run.
    _say_thousandths(runs_in_thousandths(store.tags(list(names))), names)
    return NamedPoints(points=store.points(list(names)), names=names), store


def _write(verdicts: Sequence[Verdict], store: Store) -> None:
    with typer.progressbar(verdicts, label="writing verdicts", file=typer.get_text_stream("stderr")) as bar:
        for verdict in bar:
            store.write_verdict(verdict)
