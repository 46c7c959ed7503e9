"""``grokscope watch``: say what happens to the runs of a store, as it happens."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.aliases import Alias, aliases_in
from grokscope.cli.runs.watched import WatchedRuns
from grokscope.cli.terminal import complain, say, say_json, shown
from grokscope.cli.verdict_table import date_text
from grokscope.dashboard.words.events import EVENT_STYLES
from grokscope.dashboard.words.withdrawals import why_withdrawn
from grokscope.schemas import Date, GrokscopeError, Status, Transition, store_uri, transition_to_dict
from grokscope.schemas.secrets import redacted
from grokscope.store import (
    BusyStoreError,
    RunNotFoundError,
    ServerFailedError,
    StoreError,
    UnreachableError,
    open_store,
)
from grokscope.transitions.live.feed import ALPHA
from grokscope.transitions.live.news import Change, News

_PASSING = (BusyStoreError, RunNotFoundError, ServerFailedError, UnreachableError)
_NAP_S = 0.2
_THOUSANDTHS = "steps in thousandths of the log's"


class WatchError(GrokscopeError):
    """A command that cannot be carried out as given."""


def watch(
    source: Annotated[
        str | None,
        typer.Argument(metavar="STORE", help="The same as --store.", show_default=False),
    ] = None,
    *,
    store: options.Store = None,
    experiment: Annotated[
        str | None, typer.Option(help="Experiment in the store.", show_default=False)
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="Bound on false suspicions of a run, and on false discoveries over runs.")
    ] = ALPHA,
    once: Annotated[bool, typer.Option("--once", help="Say what there is to say now, and end.")] = False,
    alias: Alias = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two readings.")] = 5.0,
    output: Annotated[
        options.Format, typer.Option("--format", help="A line for people, or one JSON object a line.")
    ] = options.Format.TABLE,
) -> None:
    """Say what happens to runs while they train: suspected, confirmed, collapsed, withdrawn. Ctrl-C ends it.

    One line an event, with its step and 95 % interval. Held-out loss that falls (watch) and mean
    reciprocal rank that lifts (alert) are said as they come; whenever it changes, which runs generalize at
    a false discovery rate of at most alpha.

    Example: grokscope watch --experiment parity --once
    """
    if not 0 < alpha < 1:
        raise WatchError(f"--alpha is a rate between 0 and 1, got {alpha}; 0.01 is usual")
    if source is not None and store is not None:
        named = f"{redacted(source)!r} and --store {redacted(store)!r}"
        raise WatchError(f"the store is named twice, {named}; leave one away")
    aliases = aliases_in(alias)
    uri = store_uri(source or store)
    opened = open_store(uri)
    if experiment is None:
        known = ", ".join(repr(name) for name in opened.experiments()["name"]) or "none"
        raise WatchError(f"a store needs --experiment NAME; there: {known}")
    runs = WatchedRuns(opened, experiment, alpha=alpha, aliases=aliases)
    print_line = say_json if output is options.Format.JSON else say
    for line in _lines(runs, output, every_s=None if once else interval):
        print_line(line)
    if not runs.names:
        say("no runs", err=True)


def _lines(runs: WatchedRuns, output: options.Format, *, every_s: float | None) -> Iterator[str]:
    """Yield what is to be printed; for good, unless ``every_s`` is ``None``."""
    said: tuple[str, ...] = ()
    trouble = ""
    while True:
        try:
            for news in runs.news(is_last=every_s is None):
                yield _line(news, runs, output)
            if (found := runs.discovered()) != said:
                said = found
                yield _discoveries(runs, found, output)
            trouble = ""
        except _PASSING as error:
            if every_s is None:
                raise
            trouble = _complain(error, trouble)
        if every_s is None:
            return
        _wait(every_s)


def _wait(seconds: float) -> None:
    """Sleep in naps: the kernel may hand Ctrl-C to a thread of polars, and only the next nap sees it."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _NAP_S))


def _complain(error: StoreError, earlier: str) -> str:
    """Say on stderr why the store could not be read, once; it is tried again."""
    said = str(error)
    if said != earlier:
        complain(f"{said}; trying again")
    return said


def _line(news: News, runs: WatchedRuns, output: options.Format) -> str:
    name, event = runs.names.get(news.run_id, news.run_id), news.event
    if output is options.Format.JSON:
        what = (
            {"signal": news.signal, "finding": news.finding} if event is None else transition_to_dict(event)
        )
        unit = {"in_thousandths": True} if news.run_id in runs.in_thousandths else {}
        known = {"run": news.run_id, "name": name, "change": news.change, **unit}
        return json.dumps({**known, **{k: v for k, v in what.items() if k != "run_id"}})
    if event is None:
        return f"{name}: {news.signal}, {news.finding}"
    return _line_of_event(name, event, news, in_thousandths=news.run_id in runs.in_thousandths)


def _line_of_event(name: str, event: Transition, news: News, *, in_thousandths: bool) -> str:
    date = date_text(Date(step=event.step, low=event.low, high=event.high))
    if news.change is Change.WITHDRAWN:
        why = why_withdrawn(event, finding=news.finding)
        what = f"{event.kind.word} of step {date} on {event.metric}"
        unit = f" ({_THOUSANDTHS})" if in_thousandths else ""
        return f"{name}: {what} withdrawn at step {news.step:,}{unit}: {why}"
    said = [] if event.status is Status.SUSPECTED else [EVENT_STYLES[event.kind].date]
    said += ["another date than before"] if news.change is Change.CHANGED else []
    said += [news.finding] if news.finding else []
    said += [shown(check.text) for check in event.evidence if check.name == "review"]
    said += [_THOUSANDTHS] if in_thousandths else []
    line = f"{name}: {event.kind.word} {event.status.value} at step {date} on {event.metric}"
    return f"{line} ({', '.join(said)})" if said else line


def _discoveries(runs: WatchedRuns, discovered: Sequence[str], output: options.Format) -> str:
    alpha = runs.feed.alpha
    found = [runs.names.get(run, run) for run in discovered]
    if output is options.Format.JSON:
        return json.dumps({"generalize": list(discovered), "alpha": alpha, "runs": len(runs.names)})
    listed = ", ".join(sorted(found)) or "none"
    rate = f"false discovery rate at most {alpha:g}"
    return f"{len(found)} of {len(runs.names)} runs generalize ({rate}): {listed}"
