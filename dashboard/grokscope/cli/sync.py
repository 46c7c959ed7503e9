"""``grokscope sync``: carry what is left in spools into MLflow."""

import time
from pathlib import Path
from typing import Annotated

import typer

from grokscope.cli.terminal import complain, progress, say, shown
from grokscope.collectors.ship import Backlog, backlogs, ensure_shipper, retry_stuck
from grokscope.schemas import GrokscopeError, home


class SyncError(GrokscopeError):
    """Points could not be delivered."""


def sync(
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for a store that does not answer.")
    ] = 30.0,
) -> None:
    """Send points that have not reached MLflow yet, for instance after a crash or an outage.

    Sending twice is harmless: a point that is there already is not stored again.
    """
    place = home()
    retry_stuck(place)
    waiting = backlogs(place)
    if not waiting:
        say(f"nothing to send: no spools in {place}")
        return
    if not any(backlog.points or backlog.spools or backlog.stuck for backlog in waiting):
        say("nothing to send: the runs that still train send their own points")
        return
    for backlog in waiting:
        try:
            _follow(place, backlog, patience)
        except OSError as error:
            raise SyncError(
                f"no shipper can be started in {place} ({error}); free or unlock that folder"
            ) from error
    left = [b for b in backlogs(place) if b.stuck]
    for backlog in left:
        for sentence in backlog.stuck:
            complain(sentence)
    if left:
        raise SyncError(
            f"{sum(len(b.stuck) for b in left)} spools in {place} cannot be sent from here; see above"
        )
    say(f"{sum(b.points for b in waiting):,} points delivered")


def _follow(place: Path, backlog: Backlog, patience: float) -> None:
    """Show how one store's backlog shrinks, until it is gone or the store has been away too long."""
    with progress() as bar:
        task = bar.add_task(shown(backlog.store), total=backlog.points)
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
