"""``grokscope import``: other tools' logs into MLflow."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.log_files import ReadAs, read_logs, say_skipped
from grokscope.cli.read_as import not_read
from grokscope.cli.terminal import progress, say, shown
from grokscope.importing import Limits, PlannedRun, limits_for, plan_import, totals, write_plan
from grokscope.schemas import readings, resolve, store_uri
from grokscope.schemas.secrets import redacted
from grokscope.store import How, roles_of

_SHOWN, _ROLES = 20, 12


def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A file, or a folder with its subfolders: TensorBoard event files, W&B (.wandb, CSV, JSON), "
            "trainer_state.json, a Trackio store, MLflow's mlruns, DVCLive, Sacred, results of lm-eval, CSV, "
            "Parquet, JSON, or a text log.",
            metavar="SOURCE",
        ),
    ],
    *,
    kind: options.Kind = None,
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
    pattern: options.Patterns = None,
    step: options.Step = None,
    max_points: options.MaxPoints = Limits().points,
) -> None:
    """Import other tools' logs into MLflow. Importing again adds only what is new.

    A folder may hold several kinds. A file that cannot be read is named and left out, and the status is 1.

    Example: grokscope import logs/ --store sqlite:///mlflow.db
    """
    uri = store_uri(store)
    read_as = ReadAs(kind=kind, patterns=pattern or (), step=step, limits=limits_for(max_points))
    found, parsed = read_logs(source, read_as)
    kinds = Counter(run.kind for run in parsed.runs)
    held = ", ".join(f"{_count(count, 'run')} of {name}" for name, count in kinds.items())
    say(f"{shown(source)}: {_count(len(found.files), 'file')}, {held}", err=True)
    plan = plan_import(parsed, found, uri=uri, experiment=experiment)
    _say(plan)
    say_skipped(parsed.skipped)
    if not dry_run and plan:
        _write(plan, uri)
    made, there, points = totals(plan)
    does = "would make" if dry_run else "made"
    adds = "would add" if dry_run else "added"
    say(
        f"{does} {_count(made, 'run')}, found {_count(there, 'run')} imported before, "
        f"{adds} {_count(points, 'point')} in {redacted(uri)}"
    )
    if any(one.is_error for one in parsed.skipped):
        raise typer.Exit(1)


def _write(plan: Sequence[PlannedRun], uri: str) -> None:
    with progress() as bar:
        task = bar.add_task("writing", total=totals(plan)[2])
        for count in write_plan(plan, uri=uri):
            bar.advance(task, count)


def _say(plan: Sequence[PlannedRun]) -> None:
    """Print a line a run, and which metrics were taken for what."""
    for planned in plan[:_SHOWN]:
        say(_line(planned))
        for note in planned.run.notes:
            say(f"{shown(planned.run.name)}: {shown(note)}")
    if len(plan) > _SHOWN:
        say(f"and {len(plan) - _SHOWN:,} more runs")
    for name, stored in sorted({pair for planned in plan for pair in planned.renamed.items()}):
        say(f"renamed, since MLflow takes no such name: {shown(repr(name))} to {shown(repr(stored))}")
    _say_roles(plan)


def _line(planned: PlannedRun) -> str:
    metrics = planned.known["metric"].n_unique()
    later = f", {planned.replaced:,} logged again at their step" if planned.replaced else ""
    first, last = planned.known["step"].min(), planned.known["step"].max()
    state = "new run" if planned.run_id is None else "there already"
    return (
        f"{shown(planned.run.name)}\t{planned.run.kind}\t{shown(planned.experiment)}\t{state}\t"
        f"{_count(metrics, 'metric')}\t{_count(planned.seen, 'point')} ({planned.new.height:,} new{later})\t"
        f"steps {first:,} to {last:,}"
    )


def _say_roles(plan: Sequence[PlannedRun]) -> None:
    """Print what each metric is read as, a line for all runs that log the same ones."""
    runs: dict[frozenset[str], list[str]] = {}
    for planned in plan:
        runs.setdefault(frozenset(planned.known["metric"].unique()), []).append(planned.run.name)
    for names, of_runs in [*runs.items()][:_SHOWN]:
        known = readings(names)
        keys = resolve(known)
        read = [
            f"{name} is {key} ({known[name].sureness})"
            for name, key in sorted(keys.items())
            if known[name].key
        ]
        more = f" and {len(of_runs) - 1:,} more" if len(of_runs) > 1 else ""
        said = "; ".join(map(shown, read[:_ROLES])) or "no curve by its name"
        say(f"read in {shown(of_runs[0])}{more}: {said}{'; …' if len(read) > _ROLES else ''}")
    names = {name for of_runs in runs for name in of_runs}
    for line in not_read(names):
        say(line)
    unknown = sum(role.how is How.UNKNOWN for role in roles_of(names))
    if unknown:
        say(
            f"{_count(unknown, 'metric')} without a role; "
            "give one with 'grokscope detect STORE --experiment E --alias NAME=KEY --write'"
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
