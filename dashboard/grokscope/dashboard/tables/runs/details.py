"""What a table can show of runs beside their verdicts: params, levels of metrics, and what people wrote."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.feeds.joined import EXPERIMENT_PARAMS
from grokscope.dashboard.state.narrowing import by_run, choices
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import Decision, Verdict, mapped, score_of
from grokscope.schemas.secrets import WITHHELD, is_secret, redacted
from grokscope.schemas.tags import NOTE

PARENT = "mlflow.parentRunId"
COMMIT = "mlflow.source.git.commit"
_NOT_A_PERSONS = ("mlflow.", "grokscope.", "wandb.")
_COMMIT_LETTERS = 8
_A_DAY = len("2026-01-31")
_SHOWN_ELSEWHERE = ("group", "seed")
_MOST_PARAMS = 8
_NESTED = "\u2514 "
_INDENT = "\u2003"

STATISTICS = ("last", "best", "lowest", "highest")
"""What is shown of a metric: ``best`` is the lowest or highest, where the name tells which is better."""

DETAILS = pl.Schema(
    {
        "run_id": pl.String(),
        "parent": pl.String(),
        "duration": pl.Float64(),
        "commit": pl.String(),
        "tags": pl.List(pl.String()),
        "note": pl.String(),
        "reviewed": pl.String(),
    }
)
"""``parent``: the label of the run that a run is nested in; ``duration``: seconds, so far where it trains;
``tags``: those that people gave, ``name`` or ``name: value``; ``note``: MLflow's description; ``reviewed``:
what people decided, who and when."""


def details(snapshot: Snapshot) -> pl.DataFrame:
    """Return ``DETAILS`` of all runs; what a run has none of is null."""
    by_run = tags_by_run(snapshot)
    labels: Mapping[str, str] = dict(snapshot.runs.select("run_id", "label").iter_rows())
    spans = snapshot.runs.select("run_id", "start_ms", pl.coalesce("end_ms", "last_ms").alias("end"))
    rows: list[tuple[object, ...]] = []
    for run, start, end in spans.iter_rows():
        tags = by_run.get(run, {})
        seconds = (end - start) / 1000 if start is not None and end is not None and end > start else None
        parent = labels.get(tags.get(PARENT, ""))
        commit = plain(tags.get(COMMIT, ""))[:_COMMIT_LETTERS] or None
        note = plain(redacted(tags.get(NOTE, ""))) or None
        decided = _reviewed(snapshot.verdicts.get(run))
        rows.append((run, parent, seconds, commit, _shown(persons_tags(tags)) or None, note, decided))
    return pl.DataFrame(rows, schema=DETAILS, orient="row")


def _reviewed(verdict: Verdict | None) -> str | None:
    """Return every decision about a run, the newest first; ``None`` without one."""
    made = [one for one in (verdict.reviews if verdict else ()) if one.decision is not Decision.NOTED]
    newest = sorted(made, key=lambda one: one.time, reverse=True)
    said = [", ".join(filter(None, [one.sentence(), one.time[:_A_DAY]])) for one in newest]
    return plain("; ".join(said)) or None


def tags_by_run(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Return the tags of each run that has some."""
    return by_run(snapshot.tags)


def persons_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that people gave: not those of MLflow, of grokscope or of an import.

    >>> persons_tags({"mlflow.user": "ann", "keep": "", "grokscope.pattern": "grokking"})
    {'keep': ''}
    """
    return {key: value for key, value in sorted(tags.items()) if not key.startswith(_NOT_A_PERSONS)}


def _shown(tags: Mapping[str, str]) -> list[str]:
    return [
        plain(redacted(key) if not value else f"{redacted(key)}: {_value(key, value)}")
        for key, value in tags.items()
    ]


def _value(key: str, value: str) -> str:
    return WITHHELD if is_secret(key, value) else redacted(value)


def first_params(snapshot: Snapshot) -> list[str]:
    """Return the params that are columns unless a reader chooses others: those that tell runs apart.

    Of more than eight, the first; the seed and a group's name have columns of their own. Where several
    experiments are looked at, a run's experiment comes before all.
    """
    found = [name for name in choices(snapshot) if name not in _SHOWN_ELSEWHERE]
    of_experiment = [name for name in found if snapshot.parts and name in EXPERIMENT_PARAMS]
    return list(dict.fromkeys([*of_experiment, *found]))[:_MOST_PARAMS]


def param_labels(names: Collection[str]) -> dict[str, str]:
    """Return what to call params: their last part where that is enough to tell them apart.

    >>> param_labels(["intervention.protocol.lr", "model.width", "data.width"])
    {'intervention.protocol.lr': 'lr', 'model.width': 'model.width', 'data.width': 'data.width'}
    """
    last = {name: name.rpartition(".")[2].rpartition("/")[2] or name for name in names}
    counts = [*last.values()]
    return {name: plain(short if counts.count(short) == 1 else name) for name, short in last.items()}


def params_table(snapshot: Snapshot, names: Sequence[str]) -> pl.DataFrame:
    """Return ``run_id`` and a column a param (``param_column``): numbers where all of its values are.

    >>> from grokscope.store import PAIR_SCHEMA
    >>> params_table(Snapshot(), ["lr"]).columns
    ['run_id', 'params.lr']
    """
    table = snapshot.runs.select("run_id")
    for name in names:
        own = snapshot.params.filter(pl.col("key") == name).select("run_id", "value")
        numbers = own["value"].cast(pl.Float64(), strict=False)
        is_number = numbers.null_count() == 0 and own.height > 0
        value = numbers if is_number else mapped(own["value"], _param)
        column = own.select("run_id").with_columns(value.alias(param_column(name)))
        table = table.join(column, on="run_id", how="left", maintain_order="left")
    return table


def param_column(name: str) -> str:
    """Return the name of a param's column: a param may be called as any other column is."""
    return f"params.{name}"


def _param(value: str) -> str:
    return plain(redacted(value))


def levels_table(points: pl.DataFrame, statistics: Sequence[str]) -> pl.DataFrame:
    """Return ``run_id`` and a column a metric and statistic, ``test/loss · last``; finite values only.

    Args:
        points: Of the metrics that are asked for.
        statistics: Of ``STATISTICS``. A metric of which no side is better has no ``best``.

    >>> rows = {"run_id": "a", "metric": "test/loss", "step": [0, 1, 2], "value": [2.0, 0.5, 1.0]}
    >>> levels_table(pl.DataFrame(rows), ["last", "best"]).rows(named=True)
    [{'run_id': 'a', 'test/loss · last': 1.0, 'test/loss · best': 0.5}]
    """
    finite = points.filter(pl.col("value").is_finite()).sort("run_id", "step")
    table = finite.select("run_id").unique(maintain_order=True)
    for metric in finite["metric"].unique().sort():
        ways = {name: way for name in statistics if (way := _way(metric, name)) is not None}
        own = (
            finite.filter(pl.col("metric") == metric)
            .group_by("run_id", maintain_order=True)
            .agg(way.alias(level_column(metric, name)) for name, way in ways.items())
        )
        table = table.join(own, on="run_id", how="left", maintain_order="left")
    return table


def level_column(metric: str, statistic: str) -> str:
    """Return the name of a column of ``levels_table``."""
    return f"{metric} · {statistic}"


def _way(metric: str, statistic: str) -> pl.Expr | None:
    value = pl.col("value")
    if statistic == "best":
        score = score_of(metric)
        return None if score is None else value.max() if score.higher_is_better else value.min()
    return {"last": value.last(), "lowest": value.min(), "highest": value.max()}[statistic]


def as_tree(runs: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """Return rows with nested runs behind the run that they belong to, their names set in.

    A run whose parent is not among the rows stands where it was.

    Args:
        runs: ``run_id`` and ``run``, among others.
        snapshot: Has the tags that tell the parents.
    """
    order: list[str] = runs["run_id"].to_list()
    known = set(order)
    tags = snapshot.tags.filter(pl.col("key") == PARENT).select("run_id", "value")
    depths = _nested(order, {run: up for run, up in tags.iter_rows() if up in known and up != run})
    if not any(depths.values()):
        return runs
    tree = pl.DataFrame(
        {
            "run_id": list(depths),
            "set_in": [_INDENT * (depth - 1) + _NESTED if depth else "" for depth in depths.values()],
        }
    )
    rows = tree.join(runs, on="run_id", how="left", maintain_order="left")
    return rows.with_columns(run=pl.col("set_in") + pl.col("run")).select(runs.columns)


def _nested(order: Sequence[str], parents: Mapping[str, str]) -> dict[str, int]:
    """Return each run with its depth, in the order of the tree; a circle of parents is broken anywhere."""
    children: dict[str, list[str]] = {}
    for run in order:
        children.setdefault(parents.get(run, ""), []).append(run)
    found: dict[str, int] = {}
    for start in (*children.get("", []), *order):
        waiting = [(start, 0)]
        while waiting:
            run, depth = waiting.pop()
            if run not in found:
                found[run] = depth
                waiting += [(child, depth + 1) for child in reversed(children.get(run, []))]
    return found
