"""How long ``log`` and leaving take while the store is away, is silent or is locked.

    python benchmarks/logging_away.py [--steps 20000]

The aim is less than 5 ms at p99.9 and less than six seconds. On a busy machine the system takes the processor
away from any loop; what that costs is seen in turns of a loop that does nothing for as long as a ``log``
takes, between the calls.
"""

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

TRAINER = """
import sys, time
from grokscope.collectors import Tracker
slow = slow_anyway = 0
with Tracker(experiment="e") as tracker:
    for step in range(int(sys.argv[1])):
        began = time.perf_counter()
        tracker.log(step, {"train/loss": 1.0, "test/loss": 2.0})
        ended = time.perf_counter()
        slow += ended - began > 0.005
        busy_until = time.thread_time() + 20e-6
        while time.thread_time() < busy_until:
            pass
        slow_anyway += time.perf_counter() - ended > 0.005
    leaving = time.monotonic()
print(slow, slow_anyway, time.monotonic() - leaving)
"""


def timed(home: Path, store: str, steps: int) -> tuple[float, float, float]:
    """Return how many calls and how many turns beside them took over 5 ms, and the seconds of leaving."""
    environment = os.environ | {"GROKSCOPE_HOME": str(home), "MLFLOW_TRACKING_URI": store}
    command = [sys.executable, "-c", TRAINER, str(steps)]
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    slow, slow_anyway, leaving = map(float, done.stdout.split())
    return slow, slow_anyway, leaving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000)
    steps = parser.parse_args().steps
    folder = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
    print("| the store | calls over 5 ms | turns beside them over 5 ms | leaving, s |\n|---|---|---|---|")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        closing(sqlite3.connect(folder / "mlflow.db", isolation_level=None)) as locked,
    ):
        locked.execute("begin exclusive")
        stores = {
            "refuses connections": "http://127.0.0.1:9",
            "accepts and is silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "is locked": f"sqlite:///{folder}/mlflow.db",
        }
        for name, store in stores.items():
            slow, slow_anyway, leaving = timed(folder / name, store, steps)
            print(f"| {name} | {slow / steps:.3%} | {slow_anyway / steps:.3%} | {leaving:.1f} |")


if __name__ == "__main__":
    main()
