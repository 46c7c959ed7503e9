"""A million points in five thousand runs, and five hundred metrics of one: read whole, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grokscope.store import open_store

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from store_volume import Volume, build

RUNS, WIDE = Volume(runs=5000, metrics=2, steps=100), Volume(runs=1, metrics=500, steps=20)
MOST_MIB = 1536

READS = """
import json, sys
from pathlib import Path
from grokscope.store import open_store
store = open_store(sys.argv[1])
runs = store.runs()["run_id"].to_list()
points = store.points(runs)
store.close()
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
print(json.dumps([len(runs), points.height, int(peak.split()[1]) / 1024]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("volume")


def test_a_million_points_of_five_thousand_runs_are_read_whole_in_bounded_memory(folder):
    uri = f"sqlite:///{build(folder, RUNS)}"
    for _ in ("from the store", "from the mirror"):
        read = subprocess.run([sys.executable, "-c", READS, uri], check=True, capture_output=True, text=True)
        runs, points, mebibytes = json.loads(read.stdout)
        assert (runs, points) == (RUNS.runs, RUNS.points)
        assert mebibytes < MOST_MIB


def test_all_of_five_hundred_metrics_are_there(folder):
    store = open_store(f"sqlite:///{build(folder, WIDE)}")
    assert store.metrics(WIDE.ids)["metric"].n_unique() == WIDE.metrics
    assert store.points(WIDE.ids).height == WIDE.points
