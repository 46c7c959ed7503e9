"""Work of several pages at once, a thread each; prints how often each was done, if it comes to an end.

Run with POLARS_MAX_THREADS=2, as polars itself chooses on a machine with two cores.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd  # noqa: F401 - whole, before Altair looks at it from several threads (dashboard.server)
import polars as pl

from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.labels import end_labels
from grokscope.dashboard.charts.elements.palette import LIGHT, Colouring
from grokscope.dashboard.charts.elements.quantity import quantity_of
from grokscope.dashboard.charts.run.panel import event_names
from grokscope.dashboard.state.data import RUNS_SCHEMA, Snapshot
from grokscope.dashboard.tables.costs import COSTS, group_costs
from grokscope.dashboard.tables.leads import members_of
from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.tables import read
from grokscope.schemas import Date, Delay, Pattern, Verdict

RUNS = [f"run {number}" for number in range(6)]
METRICS = ("test/accuracy", "test/loss", "weights/norm", "train/loss")
STEPS = range(0, 2001, 40)

points = pl.DataFrame(
    [(run, metric, step, 0, float(step >= 900)) for run in RUNS for metric in METRICS for step in STEPS],
    schema=["run_id", "metric", "step", "time_ms", "value"],
    orient="row",
)
costs = pl.DataFrame(
    [(run, run, f"group {i % 3}", i % 2 == 0, float(i), 0.0, 0.0) for i, run in enumerate(RUNS * 50)],
    schema=COSTS,
    orient="row",
)
dates = {
    name: Date(step=step, low=step, high=step) for name, step in (("memorized", 100), ("midpoint", 1000))
}
dates |= {"onset": Date(step=800, low=800, high=800)}
delay = Delay(steps=900, ratio=10.0)
snapshot = Snapshot(
    runs=pl.DataFrame([{"run_id": run, "label": run} for run in RUNS], schema=RUNS_SCHEMA),
    verdicts={run: Verdict(run=run, pattern=Pattern.GROKKING, delay=delay, **dates) for run in RUNS},
)
marks = pl.DataFrame({"run_id": RUNS, "event": "onset", "step": 800, "low": 700, "high": 900, "value": 0.5})
colouring = Colouring(field="run_id", palette=LIGHT, colours=LIGHT.of(RUNS))
axis = StepAxis(first=0, last=2000, log=False)


def tables(folder):
    path = Path(folder) / "points.csv"
    points.write_csv(path)
    source = LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent)
    return lambda: list(read(source, Tally(Limits())))


def works(folder):
    return {
        "to pandas": points.to_pandas,
        "partition": lambda: points.partition_by("run_id", as_dict=True),
        "costs": lambda: group_costs(costs),
        "leads": lambda: members_of(points, snapshot, RUNS),
        "labels": lambda: end_labels(
            points, colouring, quantity=quantity_of("test/loss", points["value"]), height=300
        ),
        "events": lambda: event_names(marks, axis, LIGHT),
        "tables": tables(folder),
    }


def main(folder, seconds):
    until = time.monotonic() + seconds

    def repeat(work):
        work()
        done = 1
        while time.monotonic() < until:
            work()
            done += 1
        return done

    named = works(folder)
    with ThreadPoolExecutor(len(named)) as threads:
        counts = threads.map(repeat, named.values())
        print(*zip(named, counts, strict=True))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
