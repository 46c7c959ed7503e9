"""``grokscope sync``: carry what is left in spools into MLflow."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grokscope.cli import options
from grokscope.collectors.ship import (
    Backlog,
    UpgradeError,
    backlogs,
    buried,
    ensure_shipper,
    full_uri,
    retry_stuck,
    upgrade_store,
)
from grokscope.schemas import GrokscopeError, OtherVersionError, check_version, home


class SyncError(GrokscopeError):
    """Points could not be delivered."""


def sync(
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for a store that does not answer.")
    ] = 30.0,
    *,
    upgrade: options.UpgradeStore = False,
) -> None:
    """Send points that have not reached MLflow yet, for instance after a crash or an outage.

    Sending twice is harmless: a point that is there already is not stored again.
    """
    place = home()
    try:
        _send(place, patience, upgrade=upgrade)
    finally:
        for letters in buried(place):
            typer.echo(f"grokscope: {letters}", err=True)


def _send(place: Path, patience: float, *, upgrade: bool) -> None:
    retry_stuck(place)
    waiting = backlogs(place)
    if not waiting:
        typer.echo(f"nothing to send: no spools in {place}")
        return
    if not any(backlog.points or backlog.spools or backlog.stuck for backlog in waiting):
        typer.echo("nothing to send: the runs that still train send their own points")
        return
    refused = _follow_all(place, waiting, patience, upgrade=upgrade)
    left = [b for b in backlogs(place) if b.stuck]
    for backlog in left:
        for sentence in backlog.stuck:
            _say(sentence)
    if left:
        raise SyncError(
            f"{sum(len(b.stuck) for b in left)} spools in {place} cannot be sent from here; see above"
        )
    if refused:
        points = sum(backlog.points for backlog in refused)
        raise SyncError(f"{points:,} points wait on disk and none is lost; see above, then sync again")
    typer.echo(f"{sum(b.points for b in waiting):,} points delivered")


def _follow_all(place: Path, waiting: Sequence[Backlog], patience: float, *, upgrade: bool) -> list[Backlog]:
    """Send what waits for each store; return what a store of another MLflow does not take, having said so."""
    refused: list[Backlog] = []
    for backlog in waiting:
        try:
            if upgrade:
                upgrade_store(full_uri(backlog.store), say=_say)
            _check_version(backlog)
            _follow(place, backlog, patience)
        except (OtherVersionError, UpgradeError) as error:
            refused.append(backlog)
            _say(str(error))
        except OSError as error:
            raise SyncError(
                f"no shipper can be started in {place} ({error}); free or unlock that folder"
            ) from error
    return refused


def _check_version(backlog: Backlog) -> None:
    try:
        check_version(full_uri(backlog.store), shown=backlog.store)
    except OtherVersionError:
        raise
    except Exception:  # noqa: BLE001 - a store that cannot be asked now: the shipper says why
        return


def _say(sentence: str) -> None:
    typer.echo(f"grokscope: {sentence}", err=True)


def _follow(place: Path, backlog: Backlog, patience: float) -> None:
    """Show how one store's backlog shrinks, until it is gone or the store has been away too long."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(backlog.store, total=backlog.points)
        last, moved = backlog, time.monotonic()
        while last.points or last.spools:
            ensure_shipper(place, backlog.store)
            time.sleep(0.2)
            now = next((b for b in backlogs(place) if b.store == backlog.store), None)
            if now is None:
                break
            if (now.points, now.spools) != (last.points, last.spools):
                last, moved = now, time.monotonic()
            elif time.monotonic() - moved > patience:
                raise SyncError(now.complaint(patience))
            bar.update(task, completed=backlog.points - now.points)
        bar.update(task, completed=backlog.points)
