"""Runs with what their params and their latest points say about them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from grokscope.dashboard.state.data import RUNS_SCHEMA
from grokscope.dashboard.words.escaping import plain
from grokscope.schemas import params_on_axes
from grokscope.schemas.runs.groups import Group, groups_of
from grokscope.schemas.runs.silence import silent_runs
from grokscope.schemas.secrets import redacted


def run_table(runs: pl.DataFrame, params: pl.DataFrame, points: pl.DataFrame, *, now_ms: int) -> pl.DataFrame:
    """Return ``RUNS_SCHEMA``: runs with a unique label, their group, seed and plan, and who is silent."""
    known: dict[str, dict[str, str]] = {}
    for run_id, key, value in params.iter_rows():
        known.setdefault(run_id, {})[key] = value
    ids: list[str] = runs["run_id"].to_list()
    own = [params_on_axes(known.get(run_id, {})) for run_id in ids]
    columns = {
        "label": labels(runs),
        "seed": [_whole(p.get("seed")) for p in own],
        "planned": [_planned(p, step) for p, step in zip(own, runs["step"], strict=True)],
    }
    made = [pl.Series(k, v, dtype=RUNS_SCHEMA[k]) for k, v in columns.items()]
    frame = runs.with_columns(*made, *group_columns(groups_of(own)))
    return frame.with_columns(_silent(runs, points, now_ms=now_ms)).select(RUNS_SCHEMA.names())


def group_columns(groups: Sequence[Group]) -> list[pl.Series]:
    """Return the columns ``group`` and ``lacks`` of runs in these groups, names as they are shown."""
    shown = _shown(groups)
    return [
        pl.Series("group", [shown[group] for group in groups], dtype=pl.String()),
        pl.Series("lacks", [group.lacks for group in groups], dtype=pl.String()),
    ]


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


def labels(runs: pl.DataFrame) -> list[str]:
    """Return what each run is called: its name, and with a part of its id where others share it."""
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
