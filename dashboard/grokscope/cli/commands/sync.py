"""``grokscope sync``: carry what is left in spools into MLflow."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.terminal import complain, progress, say, shown
from grokscope.collectors.recording.ship import (
    Backlog,
    UpgradeError,
    backlogs,
    dead_letters,
    ensure_shipper,
    full_uri,
    retry_stuck,
    upgrade_store,
)
from grokscope.collectors.recording.spool import damage_reports
from grokscope.schemas import GrokscopeError, OtherVersionError, home, other_version
from grokscope.schemas.files.private import close_to_others


class SyncError(GrokscopeError):
    """Points could not be delivered, or not all of them could be read."""


def sync(
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for a store that does not answer.")
    ] = 30.0,
    *,
    upgrade: options.UpgradeStore = False,
) -> None:
    """Send points that have not reached MLflow yet, for instance after a crash or an outage.

    Sending twice is harmless: a point that is there already is not stored again.

    Example: grokscope sync
    """
    place = home()
    close_to_others(place)
    try:
        _send(place, patience, upgrade=upgrade)
    finally:
        for letters in dead_letters(place):
            complain(str(letters))


def _send(place: Path, patience: float, *, upgrade: bool) -> None:
    retry_stuck(place)
    waiting = backlogs(place)
    problems = [
        problem for backlog in waiting if (problem := _problem(place, backlog, patience, upgrade=upgrade))
    ]
    problems += [sentence for backlog in backlogs(place) for sentence in backlog.stuck]
    problems += _losses(place)
    if problems:
        for sentence in problems[:-1]:
            complain(sentence)
        raise SyncError(problems[-1])
    if not waiting:
        say(f"nothing to send: no spools in {place}")
    elif not any(backlog.points or backlog.spools for backlog in waiting):
        say("nothing to send: the runs that still train send their own points")
        for backlog in waiting:
            if backlog.why:
                complain(f"of {backlog.store}, where they are sent, is said: {backlog.why}")
    else:
        say(f"{sum(backlog.points for backlog in waiting):,} points delivered")


def _problem(place: Path, backlog: Backlog, patience: float, *, upgrade: bool) -> str:
    """Send what waits for one store; say why that cannot be, since others may be sent all the same."""
    try:
        if upgrade:
            upgrade_store(full_uri(backlog.store), say=complain)
        if error := other_version(full_uri(backlog.store), shown=backlog.store):
            raise error
        return _follow(place, backlog, patience) if backlog.points or backlog.spools else ""
    except (OtherVersionError, UpgradeError) as error:
        which = f"{backlog.points:,} points" if backlog.points else "points of runs that train"
        return f"{which} wait on disk and none is lost: {error}"
    except OSError as error:
        return f"no shipper can be started in {place} ({error}); free or unlock that folder"


def _losses(place: Path) -> list[str]:
    """Tell once what could not be read of spools that are shipped; return the sentences that tell a loss."""
    fresh = [report for report in damage_reports(place) if not report.is_told]
    for report in fresh:
        with suppress(OSError):  # then it is told again
            report.told()
        if not report.is_loss:
            complain(report.says)
    return [f"{report.says}; look at them, then delete them" for report in fresh if report.is_loss]


def _follow(place: Path, backlog: Backlog, patience: float) -> str:
    """Show how one store's backlog shrinks, until it is gone; say so if the store stays away too long."""
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
                return now.overdue_message(patience)
            bar.update(task, completed=backlog.points - now.points)
        bar.update(task, completed=backlog.points)
    return ""
