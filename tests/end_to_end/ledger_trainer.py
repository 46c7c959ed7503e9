"""A training process that keeps its own account of what it logs; run as a script by the tests.

Two ledgers: ``sent`` is written before each ``log``, ``kept`` after it has returned. Whatever happens to
this process, kept <= stored <= sent must hold.
"""

import json
import os
import sys
import time
from pathlib import Path

from grokscope.collectors import Tracker


def open_ledger(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def main() -> None:
    folder, steps, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sent, kept = open_ledger(folder / "sent"), open_ledger(folder / "kept")
    with Tracker(experiment="ledger", config={"group": "g", "seed": 0}) as tracker:
        for step in range(steps):
            values = {"train/loss": 1 / (1 + step), "test/loss": step * 0.1, "weights/norm": -float(step)}
            if step % 5 == 0:
                values["test/accuracy"] = (step % 97) / 97
            line = "".join(json.dumps([step, key, value]) + "\n" for key, value in values.items()).encode()
            os.write(sent, line)
            tracker.log(step, values)
            os.write(kept, line)
            time.sleep(pause)


if __name__ == "__main__":
    main()
