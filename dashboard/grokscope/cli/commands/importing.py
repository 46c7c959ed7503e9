"""``grokscope import``: other tools' logs into MLflow."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.read_as import not_read
from grokscope.cli.terminal import progress, say, shown
from grokscope.importing import (
    Limits,
    LogSource,
    Parsed,
    PlannedRun,
    SourceKind,
    compiled,
    parse_source,
    plan_import,
    recognise,
    totals,
    write_plan,
)
from grokscope.schemas import store_uri
from grokscope.schemas.secrets import redacted
from grokscope.store import How, roles_of

_SHOWN = 20


def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A file, or a folder with its subfolders: TensorBoard event files, W&B (.wandb, CSV, JSON), "
            "trainer_state.json, a Trackio store, CSV, Parquet, JSON lines, or a text log with --pattern.",
            metavar="SOURCE",
        ),
    ],
    *,
    kind: Annotated[
        SourceKind | None,
        typer.Option(help="Whose log it is. Default: told by its content.", show_default=False),
    ] = None,
    store: options.Store = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            help="Experiment to import into. Default: the tool's project, else 'imported'.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be imported; write nothing.")
    ] = False,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX",
            help="For text logs: a regular expression with the group (?P<step>…) and one a metric, such as "
            "(?P<train_loss>…). May be given several times.",
            show_default=False,
        ),
    ] = None,
    max_points: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refuse a source of more points than this.")
    ] = Limits().points,
) -> None:
    """Import other tools' logs into MLflow. Importing again adds only what is new."""
    patterns = pattern or []
    if patterns:
        compiled(patterns)  # a wrong pattern is told before anything is read
        kind = kind or SourceKind.TEXT
    limits = replace(Limits(), points=max_points)
    uri = store_uri(store)
    found = recognise(source, kind=kind, limits=limits)
    parsed = _parsed(found, patterns, limits)
    say(f"{shown(source)}: {found.kind}, {_count(len(found.files), 'file')}", err=True)
    plan = plan_import(parsed, found, uri=uri, experiment=experiment)
    _say(plan, parsed)
    if not dry_run and plan:
        _write(plan, uri, found.kind)
    made, there, points = totals(plan)
    does = "would make" if dry_run else "made"
    adds = "would add" if dry_run else "added"
    say(
        f"{does} {_count(made, 'run')}, found {_count(there, 'run')} imported before, "
        f"{adds} {_count(points, 'point')} in {redacted(uri)}"
    )


def _parsed(source: LogSource, patterns: Sequence[str], limits: Limits) -> Parsed:
    with progress(is_counted=False, transient=True) as bar:
        bar.add_task("reading", total=None)
        return parse_source(source, patterns=patterns, limits=limits)


def _write(plan: Sequence[PlannedRun], uri: str, kind: SourceKind) -> None:
    with progress() as bar:
        task = bar.add_task("writing", total=totals(plan)[2])
        for count in write_plan(plan, uri=uri, kind=kind):
            bar.advance(task, count)


def _say(plan: Sequence[PlannedRun], parsed: Parsed) -> None:
    """Print a line a run, and which metrics were taken for what."""
    for planned in plan[:_SHOWN]:
        metrics = planned.known["metric"].n_unique()
        later = f", {planned.replaced:,} replaced by later attempts" if planned.replaced else ""
        state = "new run" if planned.run_id is None else "there already"
        say(
            f"{shown(planned.run.name)}\t{shown(planned.experiment)}\t{state}\t{_count(metrics, 'metric')}\t"
            f"{_count(planned.seen, 'point')} ({planned.new.height:,} new{later})"
        )
    if len(plan) > _SHOWN:
        say(f"and {len(plan) - _SHOWN:,} more runs")
    for name, stored in sorted({pair for planned in plan for pair in planned.renamed.items()}):
        say(f"renamed, since MLflow takes no such name: {shown(repr(name))} to {shown(repr(stored))}")
    _say_roles(parsed, plan)


def _say_roles(parsed: Parsed, plan: Sequence[PlannedRun]) -> None:
    names = {name for planned in plan for name in planned.known["metric"].unique()}
    roles = roles_of(names)
    for role in roles:
        if role.how is How.GUESSED:
            say(f"guessed: {shown(role.name)} is {role.canonical} ({role.kind})")
    for line in not_read(names):
        say(line)
    counts = Counter(role.how for role in roles)
    if counts[How.UNKNOWN]:
        say(
            f"{_count(counts[How.UNKNOWN], 'metric')} without a role; "
            "give one with 'grokscope detect STORE --experiment E --alias NAME=KEY --write'"
        )
    if not parsed.runs:
        say("no runs")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
