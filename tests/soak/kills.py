"""Kill trainers at random times and look for what they had logged.

    python tests/soak/kills.py [--count 100] [--seed N]

They are forks of one process, so that a hundred cost seconds; the shipper and the store are real ones. Many
are killed while their run is still being opened.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from ledgers import Ledger, differences, read_ledger, read_store, ship_all

from grokscope.collectors import Tracker

KEYS = ("train/loss", "test/loss", "weights/norm")


def train(folder: Path, name: str) -> None:
    """Log until killed; one ledger is written before each ``log``, one after it has returned."""
    sent, kept = (Ledger(folder / f"{name}.{kind}") for kind in ("sent", "kept"))
    tracker = Tracker(experiment="kills", run_id=name)
    for step in count():
        values = {key: step + index / 7 for index, key in enumerate(KEYS[: 1 + step % 3])}
        layers = {"layers": step / 3} if step % 4 == 0 else {}
        sent.note(step, values | layers)
        tracker.log(step, values)
        if layers:
            tracker.log_array(step, "layers", [layers["layers"]] * 20)
        kept.note(step, values | layers)
        if step % 8 == 0:
            time.sleep(0.002)


def kill_many(folder: Path, names: list[str], rng: random.Random) -> None:
    for name in names:
        child = os.fork()
        if child == 0:
            train(folder, name)
        time.sleep(0.15 * rng.random() ** 2)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    names = [f"run-{turn:03d}" for turn in range(options.count)]
    with tempfile.TemporaryDirectory(prefix="grokscope-kills-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        os.environ |= {
            "GROKSCOPE_HOME": f"{folder}/home",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        }
        kill_many(folder, names, random.Random(options.seed))
        left = ship_all(folder / "home", f"sqlite:///{folder}/mlflow.db", seconds=120)
        stored = read_store(folder)
        wrong: dict[str, dict[str, int]] = {}
        for name in names:
            kept, sent = (read_ledger(folder / f"{name}.{kind}") for kind in ("kept", "sent"))
            wrong[name] = differences(kept=kept, sent=sent, stored=stored.get(name, ()))
    wrong = {name: what for name, what in wrong.items() if what}
    points, alive = sum(map(len, stored.values())), len(stored)
    said = f"{len(names)} killed, {alive} had logged {points} points; wrong: {wrong or left or 'nothing'}"
    sys.stdout.write(f"--seed {options.seed}: {said}\n")
    return 1 if wrong or left or not points else 0


if __name__ == "__main__":
    sys.exit(main())
