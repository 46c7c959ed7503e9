"""Induction heads: a random segment comes again, and two layers of attention learn to copy what followed.

The model reads a segment of random tokens over and over. Nothing but the context tells the next token: a
head has to find the last occurrence of the present token and copy what came after it. That takes another
head, one layer below, that looks at the token before. Both form at once; one layer alone cannot do it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from grokscope.collectors.measures.attention.heads import attention_heads
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.transformer import Transformer, attention_patterns
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.sequences.next_token import attention_only, context_gain, next_token, predicting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

_HELD_OUT = 64
_PROBED = 32
_IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class InductionHeads(Recipe):
    """Settings of a transformer that reads repeated segments."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "transformer", "normalization": "none", "mlp": 0},
        "computation": {"task": "copying from the context"},
    }

    steps: int = setting(800, axis="exposure", says="optimizer steps")
    batch: int = setting(32, axis="exposure", says="sequences a step, drawn anew", allowed=Range(least=1))
    loss: str = setting(
        "cross_entropy",
        axis="protocol",
        says="cross_entropy, and nothing else here",
        allowed=("cross_entropy",),
    )
    lr: float = setting(1e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.01, axis="regularization", says="decoupled weight decay")
    vocabulary: int = setting(64, axis="data", says="number of tokens", allowed=Range(least=2))
    length: int = setting(32, axis="data", says="tokens that are read")
    shortest: int = setting(6, axis="data", says="tokens of the shortest segment")
    longest: int = setting(16, axis="data", says="tokens of the longest segment")
    layers: int = setting(2, axis="scale", param="depth", says="layers of attention", allowed=Range(least=1))
    heads: int = setting(2, axis="architecture", says="heads a layer", allowed=Range(least=1))
    width: int = setting(64, axis="scale", says="size of the residual stream", allowed=Range(least=1))


def repeated_segments(periods: Tensor, *, vocabulary: int, length: int, generator: torch.Generator) -> Tensor:
    """Return sequences [N, length + 1], each a random segment again and again.

    Args:
        periods: [N] lengths of the segments. They have to differ: with one length, positions tell where to
            copy from, and no induction head forms.
        vocabulary: Tokens are drawn from 0..vocabulary-1.
        length: Tokens that are read; one more is to be predicted.
        generator: Of the draw.

    >>> sequence = repeated_segments(torch.tensor([2]), vocabulary=9, length=4, generator=torch.Generator())
    >>> bool((sequence[:, 2:] == sequence[:, :-2]).all()), sequence.shape
    (True, torch.Size([1, 5]))
    """
    segments = torch.randint(vocabulary, (len(periods), int(periods.max())), generator=generator)
    return segments.gather(1, torch.arange(length + 1) % periods.unsqueeze(1))


def repeated_part(sequences: Tensor, periods: Tensor) -> Split:
    """Return inputs and targets [N, T]; of these only those count whose input token came one period before.

    >>> repeated_part(torch.tensor([[5, 7, 5, 7]]), torch.tensor([2]))
    (tensor([[5, 7, 5]]), tensor([[-100, -100,    7]]))
    """
    inputs, targets = next_token(sequences)
    is_first = torch.arange(inputs.shape[1]) < periods.unsqueeze(1)
    return inputs, targets.masked_fill(is_first, _IGNORED)


def prepare(recipe: InductionHeads) -> Training:
    """Return the training that a recipe describes."""
    _check(recipe)
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)

    def drawn(periods: Tensor) -> Tensor:
        return repeated_segments(
            periods, vocabulary=recipe.vocabulary, length=recipe.length, generator=generator
        )

    def between(low: int, high: int, count: int) -> Tensor:
        return torch.randint(low, high + 1, (count,), generator=generator)

    seen = between(recipe.shortest, recipe.longest, _HELD_OUT)
    unseen = between(recipe.longest + 1, (recipe.longest + recipe.length) // 2, _HELD_OUT)
    sequences = drawn(seen)
    return predicting(
        _model(recipe),
        lambda: next_token(drawn(between(recipe.shortest, recipe.longest, recipe.batch))),
        {
            "test": repeated_part(sequences, seen),
            "shift:longer_segments": repeated_part(drawn(unseen), unseen),
        },
        batch=recipe.batch,
        measures=(
            attention_heads(tokens=sequences[:_PROBED, :-1], attention=attention_patterns),
            context_gain(next_token(sequences), early=recipe.shortest, late=recipe.length),
        ),
    )


def _check(recipe: InductionHeads) -> None:
    if not 1 <= recipe.shortest <= recipe.longest < recipe.length - 1:
        raise ValueError(
            f"segments need 1 <= shortest <= longest < length - 1, got {recipe.shortest}, {recipe.longest} "
            f"and {recipe.length}; leave room to repeat a longer one"
        )


def _model(recipe: InductionHeads) -> Transformer:
    return attention_only(
        tokens=recipe.vocabulary,
        length=recipe.length,
        width=recipe.width,
        heads=recipe.heads,
        layers=recipe.layers,
    )


FORMS = Expectation(
    says="a phase change: whole sequences are copied without a mistake",
    kinds=frozenset({Kind.PHASE_CHANGE}),
    metric="test/exact_match",
)
STAYS_AWAY = Expectation(
    says="no sequence is ever copied whole",
    without=frozenset({Kind.PHASE_CHANGE}),
    metric="test/exact_match",
)

INDUCTION_HEADS = Experiment(
    name="induction-heads",
    title="A transformer of two layers learns to copy from repeated random segments",
    event="phase change",
    source="Olsson et al. 2022, arXiv:2209.11895",
    recipe=InductionHeads,
    prepare=prepare,
    arms=(
        Arm(group="two layers", expects=FORMS),
        Arm(group="one layer", settings={"layers": 1}, expects=STAYS_AWAY, is_control=True),
    ),
    seconds=9,
)
