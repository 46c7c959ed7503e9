"""Several experiments as one snapshot: their runs side by side, and never two experiments in one group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

import polars as pl

from grokscope.dashboard.state.data import CHANGES, LiveStatus, Snapshot
from grokscope.dashboard.tables.runs.run_table import group_columns, labels
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas.runs.groups import UNGROUPED, Group

EXPERIMENT_PARAMS = ("experiment", "mlflow.experiment")
"""What a run's experiment is called among its params, where several are looked at: the second where runs have
logged a param of the first name."""

_LONGEST = 60


def joined(parts: Sequence[Snapshot]) -> Snapshot:
    """Return one snapshot of several experiments; one that could not be read takes no other with it.

    Each run keeps the group that it has in its own experiment, and the group's name tells which that is. The
    name of the experiment becomes a param, so that runs can be found, grouped and told apart by it.

    Args:
        parts: Snapshots of different experiments, two or more.
    """
    runs = pl.concat([part.runs for part in parts])
    runs = runs.with_columns(
        pl.Series("label", labels(runs), dtype=pl.String()), *group_columns(_groups(parts))
    ).sort("start_ms", "run_id", descending=[True, False], nulls_last=True)
    has_units = any(part.logged is not None for part in parts)
    as_logged = [part.curves if part.logged is None else part.logged for part in parts]
    return Snapshot(
        experiment=", ".join(plain(part.experiment or "", limit=_LONGEST) for part in parts),
        experiments=next((part.experiments for part in parts if part.experiments), ()),
        runs=runs,
        params=_params(parts),
        tags=pl.concat([part.tags for part in parts]),
        curves=pl.concat([part.curves for part in parts]),
        logged=pl.concat(as_logged) if has_units else None,
        units={run: own for part in parts for run, own in part.units.items()},
        in_thousandths=frozenset(run for part in parts for run in part.in_thousandths),
        verdicts={run: verdict for part in parts for run, verdict in part.verdicts.items()},
        pairs={run: pair for part in parts for run, pair in part.pairs.items()},
        taken_ms=min((part.taken_ms for part in parts if part.taken_ms), default=0),
        problem=_problem(parts),
        missing=all(part.missing for part in parts),
        notice=next((part.notice for part in parts if part.notice), None),
        unjudged=sum(part.unjudged for part in parts),
        found=sha256("\0".join(part.found for part in parts).encode()).hexdigest(),
        parts=tuple(parts),
    )


def joined_live(found: Sequence[LiveStatus], snapshot: Snapshot) -> LiveStatus:
    """Return what the detectors of several experiments say, of the runs as ``snapshot`` calls them."""
    called = snapshot.runs.select("run_id", pl.col("label").alias("run"))
    changes = pl.concat([one.changes for one in found]).drop("run").join(called, on="run_id", how="left")
    return LiveStatus(
        states={run: state for one in found for run, state in one.states.items()},
        changes=changes.sort("time_ms", "at", "run", descending=[True, True, False], nulls_last=True).select(
            CHANGES.names()
        ),
        followed=sum(one.followed for one in found),
        discovered=tuple(run for one in found for run in one.discovered),
    )


def _groups(parts: Sequence[Snapshot]) -> list[Group]:
    """Return each run's group, in the order of the parts and of their runs."""
    found: list[Group] = []
    for part, name in zip(parts, _names(parts), strict=True):
        is_told_apart = part.runs["lacks"].is_null().any()
        for group, lacks in part.runs.select("group", "lacks").iter_rows():
            if group == UNGROUPED and not is_told_apart:
                found.append(Group(name=name))  # the experiment itself is what tells these runs from others
            else:
                found.append(Group(name=f"{group} · {name}", lacks=lacks))
    return found


def _names(parts: Sequence[Snapshot]) -> list[str]:
    """Return the experiments' names as they are shown; two that look the same stay two."""
    seen = Counter[str]()
    names: list[str] = []
    for part in parts:
        name = plain(part.experiment or "", limit=_LONGEST)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _params(parts: Sequence[Snapshot]) -> pl.DataFrame:
    logged = pl.concat([part.params for part in parts])
    first, other = EXPERIMENT_PARAMS
    key = other if (logged["key"] == first).any() else first
    of_runs = pl.concat([part.runs.select("run_id", pl.col("experiment").alias("value")) for part in parts])
    own = of_runs.select("run_id", pl.lit(key).alias("key"), "value")
    return pl.concat([logged.filter(pl.col("key") != key), own]).sort("run_id", "key")


def _problem(parts: Sequence[Snapshot]) -> str | None:
    """Return what is wrong, once where it is the same of all."""
    problems: Mapping[str, str] = {
        name: part.problem for name, part in zip(_names(parts), parts, strict=True) if part.problem
    }
    if len(problems) == len(parts) and len(set(problems.values())) == 1:
        return next(iter(problems.values()))
    return " ".join(f"Experiment {name} cannot be read: {said}" for name, said in problems.items()) or None
