"""``grokscope sweep``: train every cell of a sweep once, however often it is started."""

import json
import shlex
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from inspect import cleandoc
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from grokscope.cli import options
from grokscope.cli.engines import Address, Engine, EngineError, EngineName, cluster_of
from grokscope.cli.experiments.tally import Tally
from grokscope.cli.runs.requirements import require_store
from grokscope.cli.runs.stored import stored_runs
from grokscope.cli.terminal import complain, progress, say, say_json, say_table, shown
from grokscope.experiments import (
    Cell,
    ConfigError,
    Ledger,
    LocalEngine,
    Outcome,
    Progress,
    SweepConfig,
    further_runs,
    read_config,
    run_sweep,
)
from grokscope.experiments import Engine as Place
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import home, store_uri
from grokscope.schemas.names import stored_experiment
from grokscope.schemas.secrets import redacted

_DETECTOR = "grokscope.transitions:LiveDetector"
_EXAMPLES = """Examples of CONFIG, a TOML, JSON or YAML file (more in docs/sweeps.md):

\b
train = "modular-arithmetic"            # or "train.py:main", called with settings and seed
seeds = 3                               # or a list: [0, 7]
[settings]
steps = 3000
[grid]                                  # or [random] with runs = 20, or [[cells]]
weight_decay = [0.0, 0.3, 1.0]

Another one, of a command:

\b
command = "python train.py --lr {lr} --seed {seed}"
[random]
runs = 20
lr = {low = 1e-4, high = 1e-1, log = true}"""


def sweep(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The sweep: a TOML, JSON or YAML file.")],
    *,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="MLflow tracking URI: sqlite:///PATH or http(s)://HOST. Default: what CONFIG says, else "
            "MLFLOW_TRACKING_URI, else sqlite:///mlflow.db in the working folder.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at a time. Default: what CONFIG says, else the number of cores."),
    ] = None,
    engine: Engine = EngineName.LOCAL,
    address: Address = None,
    gpus_per_job: Annotated[
        float, typer.Option(min=0, metavar="N", help="GPUs of each run, for --engine ray; parts are allowed.")
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the runs, and train none.")] = False,
    suggest: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Train N further runs in place of CONFIG's: they tell most about where --target is met.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="METRIC>=VALUE", help="What the runs of --suggest are to reach.")
    ] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table of the groups at the end, or one JSON object.")
    ] = options.Format.TABLE,
) -> None:
    """Train a grid of settings with several seeds each, and go on where it stopped if started again.

    What is finished is not trained again; what was broken off or has failed is begun anew, and its first run
    is deleted in MLflow (it can be restored there). Status 1 if runs have failed.

    Example: grokscope sweep sweep.toml --store sqlite:///mlflow.db
    """
    planned = read_config(config)
    uri = store_uri(store or planned.store)
    if suggest is not None or target is not None:
        planned = _further(config, uri, count=suggest, target=target)
    if dry_run:
        _list(planned, output)
        return
    require_store(uri)
    ledger = Ledger(home(), uri, stored=partial(stored_runs, uri, [stored_experiment(planned.experiment)]))
    tally = Tally(planned.cells)
    with cluster_of(engine, address) as ray, _told_how_to_go_on(tally):
        place = _place(ray, workers or planned.workers, gpus=gpus_per_job)
        told = run_sweep(planned.cells, store=uri, engine=place, ledger=ledger, detector=_DETECTOR)
        with closing(told):  # its jobs end before the cluster is left
            _follow(told, tally)
    _say_end(planned, tally, uri, output)


sweep.__doc__ = f"{cleandoc(str(sweep.__doc__))}\n\n{_EXAMPLES}"


def _place(ray: Any, workers: int | None, *, gpus: float) -> Place:
    if ray is None:
        if gpus:
            raise EngineError("--gpus-per-job belongs to --engine ray; on one machine, runs share its GPUs")
        return LocalEngine(workers)
    from grokscope.experiments.cluster.engine import RayEngine  # noqa: PLC0415 - for those who ask

    return RayEngine(ray, workers, gpus=gpus)


def _further(config: Path, uri: str, *, count: int | None, target: str | None) -> SweepConfig:
    """Return the sweep with suggested runs in place of its own, and say why each is there."""
    if count is None or target is None:
        raise ConfigError("--suggest N and --target 'METRIC>=VALUE' belong together; give both")
    # The statistics behind a suggestion take time to load, which a sweep without one need not wait for.
    from grokscope.cli.experiments.suggesting import StoreSuggester  # noqa: PLC0415

    suggester = StoreSuggester(uri=uri, target=Target.parse(target), count=count)
    planned, sentences = further_runs(config, suggester)
    for sentence in sentences:
        say(sentence, err=True)
    return planned


def _follow(news: Iterator[Progress], tally: Tally) -> None:
    held = lost = 0
    with progress() as bar:
        task = bar.add_task("training", total=len(tally.cells))
        for one in news:
            tally.add(one)
            if one.is_held and not held:
                bar.console.print(
                    "another sweep, or what is left of one that was killed, trains some of these runs; they "
                    "are waited for",
                    highlight=False,
                )
            held += one.is_held
            if one.is_lost and not lost:
                bar.console.print(
                    "a worker or a node of the cluster was lost; its run is withdrawn and begun anew",
                    highlight=False,
                )
            lost += one.is_lost
            bar.update(task, completed=tally.done, description=tally.words())


def _say_end(planned: SweepConfig, tally: Tally, uri: str, output: options.Format) -> None:
    rows = tally.groups()
    if output is options.Format.JSON:
        told = {name: tally.count(outcome) for name, outcome in Outcome.__members__.items()}
        counts = {name.lower(): count for name, count in told.items()}
        errors = [f"{_named(one.cell)}: {one.error}" for one in tally.failures[:1]]
        whole = {"experiment": planned.experiment, "store": redacted(uri), "runs": len(tally.cells)}
        say_json(json.dumps({**whole, **counts, "error": errors[0] if errors else None, "groups": rows}))
    else:
        titles = ("group", "runs", "done", "failed")
        say_table(titles, [[str(row[title]) for title in titles] for row in rows], numbers=titles[1:])
    if earlier := tally.count(Outcome.EARLIER):
        say(f"{earlier} of {len(tally.cells)} runs were finished before, and not trained again", err=True)
    _say_where_they_are(planned, tally, uri)
    if tally.failures:
        first = tally.failures[0]
        complain(
            f"{len(tally.failures)} of {len(tally.cells)} runs failed; the first, {_named(first.cell)}, "
            f"ended with status {first.code}: {first.error}. The same command tries these again"
        )
        raise typer.Exit(1)


def _say_where_they_are(planned: SweepConfig, tally: Tally, uri: str) -> None:
    name, place = shown(planned.experiment), shlex.quote(redacted(uri))
    if silent := tally.silent[Outcome.FINISHED]:
        complain(
            f"{silent} of {len(tally.cells)} runs ended well without a Tracker, so nothing of them is in the "
            f"experiment {name!r}, unless they log with MLflow alone; see docs/sweeps.md"
        )
    if tally.late:
        complain(
            f"{tally.late} runs ended, and points of them still wait on nodes of the cluster for the store; "
            "'grokscope sync' there sends them"
        )
    if tally.silent.total() < tally.done:
        say(
            f"what each run did: grokscope detect {place} --experiment {shlex.quote(name)}; to look at them: "
            f"grokscope up --store {place}",
            err=True,
        )


def _list(planned: SweepConfig, output: options.Format) -> None:
    if output is options.Format.JSON:
        for cell in planned.cells:
            say_json(json.dumps(cell.to_json()))
        return
    settings = [[f"{name}={value}" for name, value in cell.settings.items()] for cell in planned.cells]
    rows = [
        [cell.group, str(cell.seed), " ".join(cell.command) or ", ".join(each)]
        for cell, each in zip(planned.cells, settings, strict=True)
    ]
    say_table(("group", "seed", "trains with"), rows, numbers=("seed",))
    say(f"{len(rows):,} runs in the experiment {shown(planned.experiment)!r}", err=True)


@contextmanager
def _told_how_to_go_on(tally: Tally) -> Generator[None]:
    """Let SIGTERM end the block as Ctrl-C does, and say what is left to do."""

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        sys.exit(128 + number)

    before = signal.SIG_DFL
    with suppress(ValueError):  # another thread than the main one, which gets no signals
        before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        left = len(tally.cells) - tally.count(Outcome.FINISHED, Outcome.EARLIER)
        complain(f"{left} of {len(tally.cells)} runs are left; the same command goes on with them")
        raise
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGTERM, before)


def _named(cell: Cell) -> str:
    return f"{cell.group} with seed {cell.seed}"
