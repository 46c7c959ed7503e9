"""What the metrics of each run go by: the names that every verdict is made under, shown or written.

What one run logs says nothing about another one's names: each run is read by itself.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from grokscope.store.roles.roles import Role, read_names, roles_of

MetricNames = Mapping[str, Mapping[str, str]]
"""Run -> metric as logged -> the name that it goes by."""

_SET = "shift:"


def under_roles(points: pl.DataFrame, overrides: Mapping[str, str]) -> pl.DataFrame:
    """Return points by the names that the engine is to read them under; ignored metrics are left out.

    Args:
        points: At least ``run_id, metric``, as logged.
        overrides: Metric -> our key or ``IGNORED``, as ``Store.aliases`` gives them.

    >>> frame = pl.DataFrame({"run_id": "r", "metric": ["a", "b"], "step": [0, 0], "value": [1.0, 2.0]})
    >>> under_roles(frame, {"a": "test/loss", "b": "-"})["metric"].to_list()
    ['test/loss']
    """
    return renamed_by_run(points, names_by_run(points.select("run_id", "metric").unique(), overrides))


def names_by_run(metrics: pl.DataFrame, overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what each run's metrics go by; those that a person left out are left out.

    A curve of a task or of another set keeps the name that it was logged under, as in verdicts, unless a
    person gave it another.

    Args:
        metrics: ``run_id, metric``, as logged.
        overrides: Metric -> our key or ``IGNORED``, as ``Store.aliases`` gives them.

    >>> frame = pl.DataFrame({"run_id": ["a", "a", "b"], "metric": ["loss", "val_loss", "acc/val_far"]})
    >>> names_by_run(frame, {})
    {'a': {'loss': 'train/loss', 'val_loss': 'val/loss'}, 'b': {'acc/val_far': 'acc/val_far'}}
    """
    known: dict[frozenset[str], dict[str, str]] = {}
    found: dict[str, dict[str, str]] = {}
    for run, logged in metrics.group_by("run_id", maintain_order=True).agg("metric").iter_rows():
        together = frozenset(logged)
        if together not in known:
            known[together] = _names(sorted(together), overrides)
        found[run] = known[together]
    return found


def _names(metrics: list[str], overrides: Mapping[str, str]) -> dict[str, str]:
    named = read_names(metrics, overrides)
    return {own: own if key.startswith(_SET) and own not in overrides else key for own, key in named.items()}


def roles_by_run(metrics: pl.DataFrame, overrides: Mapping[str, str]) -> list[Role]:
    """Return what each metric is taken for, by name; where runs differ, as most of them take it.

    Args:
        metrics: ``run_id, metric``, as logged.
        overrides: As for ``names_by_run``.
    """
    together = Counter(map(frozenset, metrics.group_by("run_id").agg("metric")["metric"].to_list()))
    found: dict[str, Counter[Role]] = {}
    for names, runs in together.items():
        for role in roles_of(names, overrides):
            found.setdefault(role.name, Counter())[role] += runs
    return [_of_most(roles) for _, roles in sorted(found.items())]


def _of_most(roles: Counter[Role]) -> Role:
    role = max(roles, key=lambda one: (roles[one], one.reason))
    others = sum(runs for one, runs in roles.items() if one.canonical != role.canonical)
    if not others:
        return role
    said = "1 run reads" if others == 1 else f"{others:,} runs read"
    return replace(role, reason=f"{role.reason} {said} it otherwise, by the names beside it there.")


def renamed_by_run(points: pl.DataFrame, names: MetricNames) -> pl.DataFrame:
    """Return the points of the named metrics, each under the name that it goes by in its run."""
    kinds = {frozenset(of_run.items()): of_run for of_run in names.values()}
    if len(kinds) == 1:
        own = next(iter(kinds.values()))
        return points.filter(pl.col("metric").is_in(list(own))).with_columns(pl.col("metric").replace(own))
    rows = [(run, own, name) for run, of_run in names.items() for own, name in of_run.items()]
    schema = {"run_id": pl.String(), "metric": pl.String(), "name": pl.String()}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    found = points.join(table, on=["run_id", "metric"], how="inner", maintain_order="left")
    return found.with_columns(metric=pl.col("name")).select(points.columns)
