"""A training process that keeps its own account of the arrays it logs; run as a script by the tests.

``sent`` is written before each ``log_array``, ``kept`` after it has returned, as in ``ledger_trainer``.
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
    folder, steps = Path(sys.argv[1]), int(sys.argv[2])
    sent, kept = open_ledger(folder / "sent"), open_ledger(folder / "kept")
    with Tracker(experiment="arrays") as tracker:
        for step in range(steps):
            line = (json.dumps([step, "layers/norm", float(step)]) + "\n").encode()
            os.write(sent, line)
            tracker.log_array(step, "layers/norm", [float(step)] * 100, axes=("layer",))
            os.write(kept, line)
            tracker.log(step, {"train/loss": 1 / (1 + step)})
            time.sleep(0.002)


if __name__ == "__main__":
    main()
