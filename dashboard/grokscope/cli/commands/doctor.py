"""``grokscope doctor``: the state of the store and of this machine, and what would help."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.terminal import say_json, say_table
from grokscope.collectors.recording.ship import backlogs, dead_letters
from grokscope.collectors.recording.spool import Damage, damage_reports, find_spools
from grokscope.schemas import home, store_uri
from grokscope.schemas.extras import Extra, install_command
from grokscope.store.doctor import examine_store
from grokscope.store.findings import Finding, Health, shown_bytes

_ROOM = 1 << 30
_OPTIONAL = {
    "torch": ("training and collecting", Extra.TORCH),
    "streamlit": ("the dashboard", Extra.APP),
    "sqlalchemy": ("writing to a database", Extra.APP),
    "tensorboard": ("importing TensorBoard logs", Extra.IMPORTERS),
    "wandb": ("importing W&B runs", Extra.IMPORTERS),
    "mcp": ("the MCP server", Extra.AGENTS),
}


def doctor(
    *,
    store: options.Store = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="A table for people, or one JSON object a finding.")
    ] = options.Format.TABLE,
) -> None:
    """Look at the store, at what waits to be sent, and at this installation; nothing is changed.

    The exit status is 0 if all is well, 1 if something is to be warned of, 2 if something has failed.

    Example: grokscope doctor --store sqlite:///mlflow.db
    """
    found = list(_examine(store_uri(store)))
    if output is options.Format.JSON:
        for finding in found:
            say_json(json.dumps(asdict(finding)))
    else:
        rows = [(finding.subject, finding.health.value, finding.says, finding.remedy) for finding in found]
        say_table(("what", "is", "found", "what would help"), rows)
    raise typer.Exit(max(list(Health).index(finding.health) for finding in found))


def _examine(uri: str) -> Iterator[Finding]:
    yield from examine_store(uri, now_ms=int(time.time() * 1000))
    place = home()
    yield _room(place)
    yield from _spools(place)
    yield _damage(place)
    yield _dead_letters(place)
    yield _mirror(place / "mirror")
    yield from _packages()


def _room(place: Path) -> Finding:
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    says = f"{place} has {shown_bytes(free)} free"
    if not os.access(there, os.W_OK):
        return Finding(
            subject="disk",
            health=Health.FAIL,
            says=f"{place} cannot be written, so trainers cannot keep their points",
            remedy="Set GROKSCOPE_HOME to a folder that can be written.",
        )
    if free < _ROOM:
        return Finding(
            subject="disk",
            health=Health.WARN,
            says=says,
            remedy="Free some, or set GROKSCOPE_HOME elsewhere.",
        )
    return Finding(subject="disk", health=Health.OK, says=says)


def _spools(place: Path) -> Iterator[Finding]:
    waiting = backlogs(place)
    if not waiting:
        yield Finding(subject="spools", health=Health.OK, says="nothing waits to be sent")
    for backlog in waiting:
        says = f"{backlog.points:,} points of {backlog.spools} ended runs wait for {backlog.store}"
        if backlog.stuck:
            says = f"{len(backlog.stuck)} spools for {backlog.store} are stuck; the first: {backlog.stuck[0]}"
            remedy = "Do what it says, then run 'grokscope sync'."
            yield Finding(subject="spools", health=Health.FAIL, says=says, remedy=remedy)
        elif backlog.points or backlog.spools:
            why = f" ({backlog.why})" if backlog.why else ""
            remedy = "Run 'grokscope sync'; no point is lost."
            yield Finding(subject="spools", health=Health.WARN, says=says + why, remedy=remedy)
        elif backlog.why:
            says = f"runs that train wait for {backlog.store} ({backlog.why})"
            yield Finding(subject="spools", health=Health.WARN, says=says, remedy="No point is lost.")
        else:
            yield Finding(subject="spools", health=Health.OK, says=f"runs that train send to {backlog.store}")


def _damage(place: Path) -> Finding:
    unread = [f"{folder}: {found.sentence}" for folder in find_spools(place) if (found := Damage(folder))]
    unread += [report.says for report in damage_reports(place)]
    if not unread:
        return Finding(subject="damage", health=Health.OK, says="all that was logged could be read")
    more = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
    return Finding(
        subject="damage",
        health=Health.WARN,
        says=f"{unread[0]}{more}",
        remedy="Have the disk looked at; of runs that are sent, delete the files once you have seen them.",
    )


def _dead_letters(place: Path) -> Finding:
    found = dead_letters(place)
    if not found:
        return Finding(subject="refused", health=Health.OK, says="the store has refused no point")
    more = f" (and {len(found) - 1} runs more)" if len(found) > 1 else ""
    return Finding(
        subject="refused", health=Health.WARN, says=f"{found[0].what}{more}", remedy=found[0].remedy
    )


def _mirror(folder: Path) -> Finding:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    size = sum(path.stat().st_size for path in files)
    says = f"{shown_bytes(size)} in {folder}" if files else "none yet"
    return Finding(subject="mirror", health=Health.OK, says=says)


def _packages() -> Iterator[Finding]:
    for name, (purpose, extra) in _OPTIONAL.items():
        if find_spec(name) is None:
            says = f"{name} is not installed, which {purpose} needs"
            remedy = f"If you want that: {install_command(extra)}."
            yield Finding(subject="packages", health=Health.OK, says=says, remedy=remedy)
