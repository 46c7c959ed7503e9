"""``python -m grokscope.experiments.job RECIPE DESTINATION``: one run of a sweep, in a process of its own.

Both arguments are JSON; each line on stdout is the number of steps done.
"""

import json
import sys

import torch

from grokscope.experiments.modular_addition import Destination, Recipe, train


def main() -> None:
    """Train the run that the arguments describe."""
    recipe, to = (json.loads(argument) for argument in sys.argv[1:3])
    torch.set_num_threads(1)
    train(Recipe(**recipe), Destination(**to), report=lambda step: print(step, flush=True))  # noqa: T201 - the protocol


if __name__ == "__main__":
    main()
