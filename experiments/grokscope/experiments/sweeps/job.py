"""``python -m grokscope.experiments.job RECIPE DESTINATION [DETECTOR]``: one run of a sweep, its own process.

The first two arguments are JSON; the third names what makes an online detector of a run id, as in
``package.module:Name``: only its caller knows the engine. Each line on stdout is the number of steps done.
"""

import json
import pkgutil
import sys

import torch

from grokscope.experiments.modular_addition import Destination, Recipe, train


def main() -> None:
    """Train the run that the arguments describe."""
    recipe, to = (json.loads(argument) for argument in sys.argv[1:3])
    makers = [pkgutil.resolve_name(name) for name in sys.argv[3:]]
    torch.set_num_threads(1)
    train(
        Recipe(**recipe),
        Destination(**to),
        detector=next((make(to["run_id"]) for make in makers), None),
        report=lambda step: print(step, flush=True),  # noqa: T201 - the protocol
    )


if __name__ == "__main__":
    main()
