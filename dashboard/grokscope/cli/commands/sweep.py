"""``grokscope sweep``: train every cell of a sweep once, however often it is started."""

import json
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import cleandoc
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.runs.requirements import require_store
from grokscope.cli.runs.stored import stored_runs
from grokscope.cli.terminal import complain, progress, say, say_json, say_table, shown
from grokscope.collectors.recording.spool import was_begun
from grokscope.experiments import (
    Cell,
    Ledger,
    LocalEngine,
    Outcome,
    Progress,
    SweepConfig,
    read_config,
    run_sweep,
)
from grokscope.schemas import home, store_uri
from grokscope.schemas.names import stored_experiment
from grokscope.schemas.secrets import redacted

_DETECTOR = "grokscope.transitions:LiveDetector"
_MINUTE = 60
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


@dataclass(slots=True)
class _Tally:
    """What has become of the cells so far."""

    cells: Sequence[Cell]
    began: float = field(default_factory=time.monotonic)
    ends: dict[tuple[str, str], Counter[Outcome]] = field(
        default_factory=dict[tuple[str, str], Counter[Outcome]]
    )
    steps: dict[str, int] = field(default_factory=dict[str, int])
    failures: list[Progress] = field(default_factory=list[Progress])
    silent: Counter[Outcome] = field(default_factory=Counter[Outcome])

    def add(self, news: Progress) -> None:
        cell = news.cell
        if news.step:
            self.steps[news.run_id] = news.step
        if news.outcome is not None:
            self.ends.setdefault((cell.experiment, cell.group), Counter())[news.outcome] += 1
        if news.outcome is Outcome.FAILED:
            self.failures.append(news)
        if news.code is not None and news.outcome is not None and not was_begun(home(), news.run_id):
            self.silent[news.outcome] += 1

    def count(self, *outcomes: Outcome) -> int:
        return sum(each[outcome] for each in self.ends.values() for outcome in outcomes)

    @property
    def done(self) -> int:
        return self.count(*Outcome)

    def words(self) -> str:
        """Return what stands before the bar."""
        parts = [f"{self.count(Outcome.FAILED)} failed"]
        if steps := sum(self.steps.values()):
            parts.append(f"{steps:,} steps")
        trained = self.count(Outcome.FINISHED, Outcome.FAILED)
        if trained and (left := len(self.cells) - self.done):
            parts.append(_left((time.monotonic() - self.began) / trained * left))
        return ", ".join(parts)

    def groups(self) -> list[dict[str, str | int]]:
        """Return a row a group: its runs, those that are done, and those that failed."""
        runs = Counter((cell.experiment, cell.group) for cell in self.cells)
        return [
            {
                "group": group,
                "runs": count,
                "done": ends[Outcome.FINISHED] + ends[Outcome.EARLIER],
                "failed": ends[Outcome.FAILED],
            }
            for (experiment, group), count in runs.items()
            for ends in [self.ends.get((experiment, group), Counter[Outcome]())]
        ]


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the runs, and train none.")] = False,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table of the groups at the end, or one JSON object.")
    ] = options.Format.TABLE,
) -> None:
    """Train a grid of settings with several seeds each, and go on where it stopped if started again.

    What is finished is not trained again; what was broken off or has failed is begun anew, and its first run
    is deleted in MLflow (it can be restored there). Status 1 if runs have failed.
    """
    planned = read_config(config)
    if dry_run:
        _list(planned, output)
        return
    uri = store_uri(store or planned.store)
    require_store(uri)
    ledger = Ledger(home(), uri, stored=partial(stored_runs, uri, [stored_experiment(planned.experiment)]))
    engine = LocalEngine(workers or planned.workers)
    tally = _Tally(planned.cells)
    with _told_how_to_go_on(tally):
        _follow(run_sweep(planned.cells, store=uri, engine=engine, ledger=ledger, detector=_DETECTOR), tally)
    _say_end(planned, tally, uri, output)


sweep.__doc__ = f"{cleandoc(str(sweep.__doc__))}\n\n{_EXAMPLES}"


def _follow(news: Iterator[Progress], tally: _Tally) -> None:
    held = 0
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
            bar.update(task, completed=tally.done, description=tally.words())


def _say_end(planned: SweepConfig, tally: _Tally, uri: str, output: options.Format) -> None:
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


def _say_where_they_are(planned: SweepConfig, tally: _Tally, uri: str) -> None:
    name, place = shown(planned.experiment), shlex.quote(redacted(uri))
    if silent := tally.silent[Outcome.FINISHED]:
        complain(
            f"{silent} of {len(tally.cells)} runs ended well without a Tracker, so nothing of them is in the "
            f"experiment {name!r}, unless they log with MLflow alone; see docs/sweeps.md"
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
def _told_how_to_go_on(tally: _Tally) -> Generator[None]:
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


def _left(seconds: float) -> str:
    if seconds < _MINUTE:
        return "less than a minute left"
    minutes = round(seconds / _MINUTE)
    return (
        f"about {minutes} min left" if minutes < 2 * _MINUTE else f"about {round(minutes / _MINUTE)} h left"
    )
