"""Runs with what their params and their latest points say about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.state.data import RUNS_SCHEMA
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.ordering import natural
from grokscope.schemas import params_on_axes
from grokscope.schemas.runs.silence import silent_runs
from grokscope.schemas.secrets import is_secret, redacted

_GROUP = "group"
UNGROUPED = f"no {_GROUP}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What runs are compared by.

    Attributes:
        name: Of a setting that seeds share, or of what its runs lack.
        lacks: Why it is no setting to compare: it has none of what tells the others apart; else ``None``.
    """

    name: str
    lacks: str | None = None


def run_table(runs: pl.DataFrame, params: pl.DataFrame, points: pl.DataFrame, *, now_ms: int) -> pl.DataFrame:
    """Return ``RUNS_SCHEMA``: runs with a unique label, their group, seed and plan, and who is silent."""
    known: dict[str, dict[str, str]] = {}
    for run_id, key, value in params.iter_rows():
        known.setdefault(run_id, {})[key] = value
    ids: list[str] = runs["run_id"].to_list()
    own = [params_on_axes(known.get(run_id, {})) for run_id in ids]
    groups = groups_of(own)
    shown = _shown(groups)
    columns = {
        "label": _labels(runs),
        "group": [shown[group] for group in groups],
        "lacks": [group.lacks for group in groups],
        "seed": [_whole(p.get("seed")) for p in own],
        "planned": [_planned(p, step) for p, step in zip(own, runs["step"], strict=True)],
    }
    frame = runs.with_columns(*(pl.Series(k, v, dtype=RUNS_SCHEMA[k]) for k, v in columns.items()))
    return frame.with_columns(_silent(runs, points, now_ms=now_ms)).select(RUNS_SCHEMA.names())


def _shown(groups: Sequence[Group]) -> dict[Group, str]:
    """Return each group's name as it is shown; two that differ in a secret only stay two."""
    shown: dict[Group, str] = {}
    seen = Counter[str]()
    for group in dict.fromkeys(groups):
        name = plain(redacted(group.name))
        seen[name] += 1
        shown[group] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return shown


def _planned(params: Mapping[str, str], step: int | None) -> int | None:
    """Return how far a run is to train: other loggers write -1 for no limit, and some go on after it."""
    steps = _whole(params.get("compute.exposure.steps"))
    return None if steps is None or steps < max(1, step or 0) else steps


def _silent(runs: pl.DataFrame, points: pl.DataFrame, *, now_ms: int) -> pl.Series:
    found = set(
        silent_runs(runs, lambda ids: points.filter(pl.col("run_id").is_in(list(ids))), now_ms=now_ms)
    )
    return pl.Series("silent", [run in found for run in runs["run_id"]], dtype=pl.Boolean)


def groups_of(params: Sequence[Mapping[str, str]]) -> list[Group]:
    """Return each run's group: the one that it names, else what distinguishes its params from the others'.

    A seed distinguishes nothing, and neither does a secret, nor what no two runs share: a folder, an address.
    Where that leaves most runs alone, or nothing, they are in no group. A run without a param that the others
    are told apart by is no setting of it. Params come from ``params_on_axes``.

    >>> runs = [{"lr": lr, "seed": seed, "out": lr + seed} for lr in ("0.1", "1") for seed in "01"]
    >>> [group.name for group in groups_of([*runs, {"seed": "2"}])]
    ['lr 0.1', 'lr 0.1', 'lr 1', 'lr 1', 'no lr']
    """
    named = [run.get(_GROUP, "") for run in params]
    unnamed = [run for run, name in zip(params, named, strict=True) if not name]
    keys = _choices(unnamed)
    made = [_made(run, keys) for run in unnamed]
    settings = [group for group in made if group.lacks is None]
    if not keys or 2 * len(set(settings)) > len(settings) or not settings:
        made = [Group(name=UNGROUPED, lacks=_GROUP)] * len(unnamed)
    rest = iter(made)
    return [Group(name=name) if name else next(rest) for name in named]


def _choices(runs: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the params that tell runs apart; those that few runs have only where there are no others."""
    found = [key for key in natural(key for run in runs for key in run) if _is_choice(key, runs)]
    common = [key for key in found if 2 * sum(bool(run.get(key)) for run in runs) >= len(runs)]
    return common or found


def _made(run: Mapping[str, str], keys: Sequence[str]) -> Group:
    missing = ", ".join(_last(key) for key in keys if not run.get(key))
    if missing:
        return Group(name=f"no {missing}", lacks=missing)
    return Group(name=", ".join(f"{_last(key)} {run[key]}" for key in keys))


def _is_choice(key: str, runs: Sequence[Mapping[str, str]]) -> bool:
    values = [value for run in runs if (value := run.get(key))]
    return (
        not any(is_secret(key, value) for value in values)
        and not _last(key).casefold().endswith("seed")
        and 1 < len(set(values)) <= len(values) / 2
    )


def _last(key: str) -> str:
    return key.rpartition(".")[2].rpartition("/")[2]


def _labels(runs: pl.DataFrame) -> list[str]:
    names = [
        plain(name, limit=80) or run_id[:8] for run_id, name in runs.select("run_id", "name").iter_rows()
    ]
    counts = Counter(names)
    return [
        f"{name} ({run_id[:6]})" if counts[name] > 1 else name
        for name, run_id in zip(names, runs["run_id"], strict=True)
    ]


def _whole(text: str | None) -> int | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    # Params are free text: "1e400" and "nan" parse as floats, and what no step counter reaches is not a step.
    return int(value) if value is not None and abs(value) < 2**62 and value == int(value) else None
