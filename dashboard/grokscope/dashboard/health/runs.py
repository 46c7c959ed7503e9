"""The runs of an experiment: verdicts, what is lost, what measuring costs, notes of imports."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import polars as pl

from grokscope.dashboard.state import phases
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.narrowing import by_run
from grokscope.dashboard.tables.live.readings import DROPPED as DROPPED_KEY
from grokscope.dashboard.tables.live.readings import SECONDS, SHARE, SKIPPED
from grokscope.dashboard.words import phrases
from grokscope.dashboard.words.losses import LOSSES
from grokscope.interventions.amounts import amount
from grokscope.schemas import DROPPED, Pattern
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import DETECTOR, IMPORT_KIND, IMPORT_NOTES, IMPORT_SOURCE
from grokscope.store.findings import Finding, Health
from grokscope.transitions.events.records import DETECTOR as PROGRAM
from grokscope.transitions.events.records import VERSION

DEAR = 0.05
"""Measuring that takes more of a run's time than this is worth a look; by default it keeps to 2 %."""

Readings = Mapping[str, Mapping[str, float]]
"""Run -> metric -> its last value."""


def version_findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield which version of the detector each verdict in the store is of, a version a line."""
    now = f"{PROGRAM} {VERSION}"
    tagged = snapshot.tags.filter(pl.col("key") == DETECTOR)["value"].to_list()
    for version, runs in groupby(sorted(tagged)):
        count = phrases.counted(len(list(runs)), "run")
        if version == now:
            yield Finding(subject=version, health=Health.OK, says=f"{count}; it is the one installed here")
        else:
            yield Finding(
                subject=redacted(version),
                health=Health.WARN,
                says=f"{count}; {now} is installed here, and may judge otherwise",
                remedy="`grokscope detect --write` judges them anew.",
            )
    without = snapshot.runs.height - len(tagged)
    if without:
        yield Finding(
            subject="none",
            health=Health.OK,
            says=f"{phrases.counted(without, 'run')} without a verdict in the store; pages judge by {now}",
            remedy="If others are to see it: `grokscope up --write`.",
        )


def verdict_findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield the runs that have no verdict or none that can be told, each with why; those that can are not."""
    told = set(snapshot.curves["run_id"].unique())
    for run in snapshot.runs.iter_rows(named=True):
        verdict = snapshot.verdicts.get(run["run_id"])
        subject = str(run["label"])
        if verdict is None:
            if run["step"] is None and run["status"] != "RUNNING":
                yield Finding(subject=subject, health=Health.WARN, says="it ended without logging a metric")
            else:
                has_curves, is_training = run["run_id"] in told, run["status"] == "RUNNING"
                yield _without(subject, has_curves=has_curves, is_training=is_training)
        elif verdict.pattern is Pattern.OTHER and verdict.missing:
            yield Finding(subject=subject, health=Health.WARN, says=" ".join(verdict.missing))


def _without(subject: str, *, has_curves: bool, is_training: bool) -> Finding:
    if has_curves:
        return Finding(
            subject=subject, health=Health.WARN, says="it waits to be judged, which goes on by itself"
        )
    if is_training:
        return Finding(
            subject=subject, health=Health.OK, says="no loss, accuracy or other score is logged yet"
        )
    return Finding(
        subject=subject,
        health=Health.WARN,
        says="nothing that it logged is read as a loss, an accuracy or another score",
        remedy="Say on the page Runs what its metrics are taken for.",
    )


def loss_findings(snapshot: Snapshot, readings: Readings) -> Iterator[Finding]:
    """Yield the runs of whose log something is lost, and those that have fallen silent."""
    tags = by_run(snapshot.tags)
    silent = set(phases.silent(snapshot.runs)["run_id"])
    for run in snapshot.runs.iter_rows(named=True):
        run_id, subject = run["run_id"], str(run["label"])
        own = tags.get(run_id, {})
        said = [text.format(redacted(own[tag])) for tag, text in LOSSES.items() if own.get(tag)]
        dropped = readings.get(run_id, {}).get(DROPPED_KEY, 0.0)
        if dropped > 0 and not own.get(DROPPED):
            said.append(LOSSES[DROPPED].format(f"{dropped:,.0f}"))
        if said:
            yield Finding(subject=subject, health=Health.FAIL, says="; ".join(said))
        if run_id in silent:
            at = phrases.clock(run["last_ms"], now_ms=snapshot.taken_ms)
            yield Finding(
                subject=subject,
                health=Health.WARN,
                says=f"it says that it is running, and was last heard of at {at}",
                remedy="Its trainer has gone, or hangs. `grokscope doctor` says how to end the run.",
            )


def cost_findings(snapshot: Snapshot, readings: Readings) -> Iterator[Finding]:
    """Yield what measuring has cost each run that logs it, the dearest first."""
    names = dict(snapshot.runs.select("run_id", "label").iter_rows())
    known = [(run, own) for run, own in readings.items() if run in names and (SHARE in own or SECONDS in own)]
    for run, own in sorted(known, key=lambda one: (-one[1].get(SHARE, 0.0), names[one[0]])):
        yield _cost(names[run], own)


def _cost(name: str, own: Mapping[str, float]) -> Finding:
    share, seconds, skipped = own.get(SHARE), own.get(SECONDS), own.get(SKIPPED, 0.0)
    parts = [
        None if seconds is None else amount(seconds, "s"),
        None if share is None else f"{phrases.percent(share)} of its time",
        f"{skipped:,.0f} costly readings skipped to keep to the budget" if skipped else None,
    ]
    is_dear = share is not None and share > DEAR
    return Finding(
        subject=name,
        health=Health.WARN if is_dear else Health.OK,
        says=", ".join(filter(None, parts)),
        remedy="Evaluate less often, on fewer examples, or with fewer measures." if is_dear else "",
    )


def import_findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield the runs that were imported, from where, and what is to be said of how they were read."""
    names = dict(snapshot.runs.select("run_id", "label").iter_rows())
    for run_id, own in by_run(snapshot.tags).items():
        if IMPORT_KIND not in own or run_id not in names:
            continue
        source, notes = own.get(IMPORT_SOURCE, ""), own.get(IMPORT_NOTES, "")
        says = f"{own[IMPORT_KIND]}{f' from {redacted(source)}' if source else ''}"
        yield Finding(
            subject=names[run_id],
            health=Health.WARN if notes else Health.OK,
            says=f"{says}: {redacted(notes)}" if notes else f"{says}: nothing to be said",
        )


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with the worst first, in their order otherwise."""
    return sorted(findings, key=lambda finding: -list(Health).index(finding.health))
