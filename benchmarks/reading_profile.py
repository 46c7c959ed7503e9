"""What a reading of the demo's MLP is made of, in shares of its time under cProfile.

python benchmarks/reading_profile.py [--readings 200]
"""

import argparse
import cProfile
import pstats
import shutil

import torch
from torch import Tensor
from training_cost import FOLDER, demo, train

from grokscope.collectors import Tracker, every
from grokscope.collectors.testing import MemorySink

PARTS = {
    "two forward passes": "plain_pass",
    "scores of both splits": "scores_of",
    "of these, calibration": "calibrated_columns",
    "weights": "_of_weights",
    "instruments (Adam's second moments)": "read",
    "preserving the model's and the random state": "preserved_state",
    "to the host": "to_floats",
    "into the spool's buffer": "add",
}
"""Parts of a reading -> the function that makes it."""


def bench_profile(readings: int) -> None:
    """Print what a reading of the demo's MLP is made of."""
    model, optimizer, (train_set, test_set) = demo(0)
    profile = cProfile.Profile()
    with Tracker(model, optimizer, experiment="bench", sink=MemorySink(), schedule=every(5)) as tracker:

        def ours(step: int, _: Tensor) -> None:
            if tracker.due(step):
                if step > 50:  # the first ones meet all for the first time
                    profile.enable()
                tracker.evaluate(step, train=train_set, test=test_set)
                profile.disable()

        train(model, optimizer, train_set, range(5 * readings + 51), ours)
    seconds: dict[str, float] = {}
    for (file, _, name), (*_, cumulative, _) in pstats.Stats(profile).stats.items():  # pyright: ignore[reportAttributeAccessIssue]
        if "grokscope" in file:
            seconds[name] = max(cumulative, seconds.get(name, 0.0))
    print(f"\n### A reading of the demo's MLP, {readings} of them under cProfile\n")
    print("| part | % of a reading |")
    print("|---|---|")
    for part, name in PARTS.items():
        print(f"| {part} | {100 * seconds[name] / seconds['evaluate']:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--readings", type=int, default=200)
    torch.set_num_threads(1)
    try:
        bench_profile(parser.parse_args().readings)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
