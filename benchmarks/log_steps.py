"""Timing calls that log one step each; as a program, Aim's, in whatever Python has Aim. Stdlib otherwise.

    PYTHON_WITH_AIM benchmarks/log_steps.py FOLDER

reads lines ``STEPS SCALARS`` and answers each with the seconds of every call, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable

Log = Callable[[int, dict[str, float]], None]


def time_steps(log: Log, steps: int, scalars: int) -> list[float]:
    """Return the seconds that each step's call took; its values are made before the clock starts."""
    seconds = []
    for step in range(steps):
        values = {f"train/metric_{i}": step + i / 7 for i in range(scalars)}
        began = time.perf_counter()
        log(step, values)
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    import aim  # noqa: PLC0415 - only there where this runs as a program

    for line in sys.stdin:
        steps, scalars = map(int, line.split())
        run = aim.Run(repo=sys.argv[1], experiment="bench", capture_terminal_logs=False)
        seconds = time_steps(lambda step, values, run=run: run.track(values, step=step), steps, scalars)
        run.close()
        sys.stdout.write(json.dumps(seconds) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
