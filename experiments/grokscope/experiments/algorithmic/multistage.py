"""Several parities at once: each is learned abruptly, the frequent ones first.

Each example names a task by a one-hot code, and its label is the parity of three bits of the input that
belong to that task. Tasks are drawn with frequencies that fall as a power of their number. Michaud et al.
take this for a model of large networks: the smooth curve of the whole is a sum of steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import one_hot

from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

HELD_OUT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Multistage(Recipe):
    """Settings of several parities at once."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "multitask sparse parity"},
    }

    steps: int = setting(6000, axis="exposure", says="optimizer steps")
    batch: int = setting(256, axis="exposure", says="examples a step; 0 takes all")
    optimizer: str = setting("adam", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(1e-3, axis="protocol", says="learning rate")
    examples: int = setting(
        50000, axis="exposure", says="examples to train on", param="unique_examples", allowed=Range(least=1)
    )
    tasks: int = setting(4, axis="data", says="parities that are learned together", allowed=Range(least=1))
    exponent: float = setting(2.0, axis="data", says="frequencies are 1 / number of the task to this power")
    bits: int = setting(20, axis="computation", says="bits of an input", allowed=Range(least=1))
    parity_bits: int = setting(3, axis="computation", says="bits of each parity")
    hidden: int = setting(128, axis="scale", says="hidden units", allowed=Range(least=1))


class ParityTasks:
    """Draws examples of parities: a one-hot code of the task, then the bits.

    Args:
        recipe: Its tasks, bits, parity_bits and exponent.
        generator: Gives the bits of each parity now, and examples later.

    Raises:
        ValueError: If a parity has no bit or more bits than there are.

    >>> tasks = ParityTasks(Multistage(tasks=2, bits=5), torch.Generator().manual_seed(0))
    >>> inputs, labels = tasks.drawn(4)
    >>> inputs.shape, labels.shape, tasks.frequencies.shape
    (torch.Size([4, 7]), torch.Size([4]), torch.Size([2]))
    """

    def __init__(self, recipe: Multistage, generator: torch.Generator) -> None:
        if not 1 <= recipe.parity_bits <= recipe.bits:
            raise ValueError(f"parity_bits is 1 to bits ({recipe.bits}), got {recipe.parity_bits}")
        self.frequencies = torch.arange(1, recipe.tasks + 1).float() ** -recipe.exponent
        self._bits = recipe.bits
        self._generator = generator
        self._subsets = torch.stack(
            [
                torch.randperm(recipe.bits, generator=generator)[: recipe.parity_bits]
                for _ in range(recipe.tasks)
            ]
        )

    def drawn(self, count: int, *, task: int | None = None) -> Split:
        """Return ``count`` inputs [N, tasks + bits] and parities [N], of one task or by the frequencies."""
        generator = self._generator
        if task is None:
            chosen = torch.multinomial(self.frequencies, count, replacement=True, generator=generator)
        else:
            chosen = torch.full((count,), task)
        bits = torch.randint(2, (count, self._bits), generator=generator)
        parities = bits.gather(1, self._subsets[chosen]).sum(dim=1) % 2
        codes = one_hot(chosen, len(self.frequencies))
        return torch.cat([codes, bits], dim=1).float(), parities


def prepare(recipe: Multistage) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    tasks = ParityTasks(recipe, torch.Generator().manual_seed(recipe.seed))
    train_set = tasks.drawn(recipe.examples)
    held_out = {"test": tasks.drawn(2 * HELD_OUT)}
    for i in range(recipe.tasks if recipe.tasks > 1 else 0):
        held_out[f"shift:task_{i + 1}"] = tasks.drawn(HELD_OUT, task=i)
    model = MLP(recipe.tasks + recipe.bits, recipe.hidden, 2)
    return classifying(model, recipe, train_set, held_out)


MULTISTAGE = Experiment(
    name="multi-stage-tasks",
    title="An MLP learns four parities of three bits, each at its own time",
    event="one transition for each task",
    source="Michaud et al. 2023, arXiv:2303.13506",
    recipe=Multistage,
    prepare=prepare,
    arms=(
        Arm(
            group="four tasks",
            expects=Expectation(
                says="each task is learned at its own time, the rarest too",
                kinds=frozenset({Kind.GENERALIZATION}),
                metric="shift:task_4/accuracy",
            ),
        ),
        Arm(
            group="one task",
            settings={"tasks": 1},
            expects=Expectation(
                says="one transition", kinds=frozenset({Kind.GENERALIZATION}), metric="test/accuracy"
            ),
            is_control=True,
        ),
    ),
    seconds=12,
)
