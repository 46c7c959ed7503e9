"""What of experiments is looked at: the runs that a query asks for, grouped by chosen params."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.selection import Selection, group_key, is_shown
from grokscope.dashboard.tables.runs.run_table import group_columns
from grokscope.schemas.runs.groups import Group, groups_by, varying

_SETTING = "setting"
"""The param that says how far from real pretraining a run is."""

_NOT_SAID = "not said"
_MOST_PARTS = 200


def grouped(snapshot: Snapshot, by: Sequence[str] | None) -> Snapshot:
    """Return the experiments with their runs grouped by params; ``None`` leaves the groups that they have.

    Args:
        snapshot: An experiment, or several joined.
        by: Names of params as they were logged; without any, all runs are in one group. Runs of several
            experiments are in one group only where they are equally far from real pretraining, or all say
            nothing of that: a mean over a small model and a pretraining is about neither.
    """
    if by is not None:
        own = params_of(snapshot)
        params = [own.get(run, {}) for run in snapshot.runs["run_id"]]
        of_runs = groups_by(params, by)
        if snapshot.parts:
            of_runs = _told_apart(of_runs, [run.get(_SETTING) for run in params])
        runs = snapshot.runs.with_columns(group_columns(of_runs))
        snapshot = replace(snapshot, runs=runs, found=_found(snapshot, "by", *by))
    in_order = snapshot.runs.sort("start_ms", "run_id", nulls_last=True)["group"]
    return replace(snapshot, seen=tuple(in_order.unique(maintain_order=True)), found=snapshot.found)


def _told_apart(groups: Sequence[Group], settings: Sequence[str | None]) -> list[Group]:
    """Return the groups with those divided whose runs are of several settings."""
    of_group: dict[Group, set[str | None]] = {}
    for group, setting in zip(groups, settings, strict=True):
        of_group.setdefault(group, set()).add(setting)
    return [
        replace(group, name=f"{group.name}, {_SETTING} {setting or _NOT_SAID}")
        if len(of_group[group]) > 1
        else group
        for group, setting in zip(groups, settings, strict=True)
    ]


def settings_of_several(snapshot: Snapshot) -> list[str]:
    """Return the settings of the runs of several experiments where these differ; else none."""
    if not snapshot.parts:
        return []
    own = params_of(snapshot)
    found = {own.get(run, {}).get(_SETTING) or _NOT_SAID for run in snapshot.runs["run_id"]}
    return sorted(found) if len(found) > 1 else []


def mixed_groups(snapshot: Snapshot) -> int:
    """Return how many groups hold runs of several experiments."""
    counts = snapshot.runs.group_by("group").agg(pl.col("experiment").n_unique())
    return counts.filter(pl.col("experiment") > 1).height


def narrowed(snapshot: Snapshot, run_ids: Collection[str]) -> Snapshot:
    """Return the snapshot with these of its runs, and nothing of the others."""
    runs = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    if runs.height == snapshot.runs.height:
        return snapshot
    kept = set(runs["run_id"])

    def of_these(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.col("run_id").is_in(list(kept)))

    return replace(
        snapshot,
        runs=runs,
        params=of_these(snapshot.params),
        tags=of_these(snapshot.tags),
        curves=_cut_out(snapshot.curves, kept),
        logged=None if snapshot.logged is None else of_these(snapshot.logged),
        units={run: units for run, units in snapshot.units.items() if run in kept},
        in_thousandths=snapshot.in_thousandths & kept,
        verdicts={run: verdict for run, verdict in snapshot.verdicts.items() if run in kept},
        pairs={run: pair for run, pair in snapshot.pairs.items() if run in kept},
        left_out=snapshot.left_out + snapshot.runs.height - runs.height,
        whole=snapshot.whole or snapshot,
        found=_found(snapshot, "runs", *sorted(kept)),
    )


def _cut_out(curves: pl.DataFrame, run_ids: Collection[str]) -> pl.DataFrame:
    """Return the points of these runs: parts of the same memory, as long as these are few."""
    is_kept = curves["run_id"].is_in(list(run_ids))
    changes = is_kept.ne_missing(is_kept.shift(1))
    if int(changes.sum()) > _MOST_PARTS:
        return curves.filter(is_kept)
    begins = changes.arg_true().to_list()
    parts = [
        curves.slice(begin, end - begin)
        for begin, end in pairwise([*begins, curves.height])
        if is_kept[begin]
    ]
    return pl.concat(parts) if parts else curves.clear()


def of_shown_groups(snapshot: Snapshot, selection: Selection) -> Snapshot:
    """Return the snapshot with the runs of the groups that are shown."""
    if not selection.only and not selection.hidden:
        return snapshot
    shown = [group for group in snapshot.groups() if is_shown(selection, group_key(group))]
    return narrowed(snapshot, snapshot.runs.filter(pl.col("group").is_in(shown))["run_id"].to_list())


def choices(snapshot: Snapshot) -> list[str]:
    """Return the params that runs can be grouped by: those that vary, without secrets."""
    return varying(list(params_of(snapshot).values()))


def params_of(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Return the params of each run by its id."""
    return by_run(snapshot.params)


def by_run(pairs: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return what ``PAIR_SCHEMA`` holds of each run that it names.

    >>> by_run(pl.DataFrame({"run_id": ["a", "a"], "key": ["lr", "wd"], "value": ["1", "0"]}))
    {'a': {'lr': '1', 'wd': '0'}}
    """
    known: dict[str, dict[str, str]] = {}
    for run_id, key, value in pairs.select("run_id", "key", "value").iter_rows():
        known.setdefault(run_id, {})[key] = value
    return known


def _found(snapshot: Snapshot, *parts: str) -> str:
    return sha256("\0".join((snapshot.found, *parts)).encode(errors="replace")).hexdigest()
