"""What runs say of themselves beside what they learn: what measuring costs, and how busy their machine is."""

import re
from collections.abc import Iterable, Mapping

import polars as pl

from grokscope.dashboard.words import phrases

SECONDS, SHARE = "collector/seconds", "collector/share"
SKIPPED, DROPPED = "collector/skipped", "collector/dropped"
COSTS = (SECONDS, SHARE, SKIPPED, DROPPED)
"""What collectors log of themselves: seconds so far, share of its time, readings skipped, points lost."""

_SYSTEM: Mapping[str, str] = {
    "cpu_utilization_percentage": "CPU",
    "system_memory_usage_percentage": "memory",
    "disk_usage_percentage": "disk",
}
_OF_GPU = re.compile(r"gpu_(\d{1,4})_(utilization|memory_usage)_percentage")
_PREFIX = "system/"


def system_keys(metrics: Iterable[str]) -> list[str]:
    """Return those metrics that say how busy a machine is, as MLflow logs them: what is said in per cent.

    >>> system_keys(["system/gpu_0_utilization_percentage", "system/network_receive_megabytes", "loss"])
    ['system/gpu_0_utilization_percentage']
    """
    return sorted(name for name in metrics if _system_word(name) is not None)


def last_readings(points: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return of each run the last finite value of each metric, by run id and name.

    >>> rows = {"run_id": ["a", "a"], "metric": SHARE, "step": [1, 2], "value": [0.01, 0.02]}
    >>> last_readings(pl.DataFrame(rows))
    {'a': {'collector/share': 0.02}}
    """
    finite = points.filter(pl.col("value").is_finite()).sort("step")
    last = finite.group_by("run_id", "metric").agg(pl.col("value").last()).sort("run_id", "metric")
    found: dict[str, dict[str, float]] = {}
    for run, metric, value in last.iter_rows():
        found.setdefault(run, {})[metric] = value
    return found


def said_of_cost(readings: Mapping[str, float]) -> str | None:
    """Return what measuring has cost a run so far; ``None`` where it logs nothing of that.

    >>> said_of_cost({SHARE: 0.012, SECONDS: 3.4}), said_of_cost({})
    ('measuring takes 1.2 % of its time', None)
    """
    share = readings.get(SHARE)
    if share is not None:
        return f"measuring takes {phrases.percent(share)} of its time"
    seconds = readings.get(SECONDS)
    return None if seconds is None else f"measuring took {phrases.duration(seconds)}"


def said_of_system(readings: Mapping[str, float]) -> str | None:
    """Return how busy the machine of a run was last; ``None`` where it logs nothing of that.

    >>> gpu, cpu = "system/gpu_0_utilization_percentage", "system/cpu_utilization_percentage"
    >>> said_of_system({gpu: 97.0, cpu: 8.2})
    'CPU 8 % · GPU 0 97 %'
    """
    said = [(word, readings[name]) for name in readings if (word := _system_word(name)) is not None]
    # In the order of the words above, then the GPUs.
    order = list(_SYSTEM.values())
    said.sort(key=lambda one: (order.index(one[0]) if one[0] in order else len(order), one[0]))
    return " · ".join(f"{word} {value:.0f} %" for word, value in said) or None


def _system_word(metric: str) -> str | None:
    name = metric.removeprefix(_PREFIX)
    if name == metric:
        return None
    gpu = _OF_GPU.fullmatch(name)
    if gpu is not None:
        return f"GPU {gpu[1]}{'' if gpu[2] == 'utilization' else ' memory'}"
    return _SYSTEM.get(name)
