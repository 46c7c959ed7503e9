"""A trainer that lives under a nemesis; run as a script: ``trainer.py FOLDER RUN``.

It goes on where an earlier process of this run was killed, some steps back, until ``FOLDER/stop`` appears.
``RUN.slow`` gets a byte for each ``log`` that took long.
"""

import os
import random
import sys
import time
from pathlib import Path

from ledgers import Ledger, read_ledger
from weather import live_under

from grokscope.collectors import Tracker

KEYS = tuple(f"train/metric_{index}" for index in range(6))
SLOW_SECONDS = 0.005


def main() -> None:
    folder, run = Path(sys.argv[1]), sys.argv[2]
    live_under(folder / "weather.json")
    before = read_ledger(folder / f"{run}.sent")
    # The checkpoint this attempt resumes from.
    step = max(0, before[-1][0] - random.randrange(30)) if before else 0
    sent, kept = (Ledger(folder / f"{run}.{kind}") for kind in ("sent", "kept"))
    slow = os.open(folder / f"{run}.slow", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Tracker(experiment="nemesis", run_id=run) as tracker:
        while not (step % 50 == 0 and (folder / "stop").exists()):
            values = {
                key: step + index / 7 + random.random() for index, key in enumerate(KEYS[: 1 + step % 6])
            }
            layers = {"layers": step + random.random()}
            sent.note(step, values | layers)
            dropped, began = tracker._run.sink.dropped, time.perf_counter()
            tracker.log(step, values)
            os.write(slow, b"x" * (time.perf_counter() - began > SLOW_SECONDS))
            tracker.log_array(step, "layers", [layers["layers"]] * 20, axes=("layer",))
            if tracker._run.sink.dropped == dropped:
                kept.note(step, values | layers)
            step += 1
            time.sleep(0.01)
        leaving = time.monotonic()
    sys.stdout.write(f"{time.monotonic() - leaving}")


if __name__ == "__main__":
    main()
