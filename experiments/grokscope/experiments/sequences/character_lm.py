"""A character language model on the text of Python's help: ordinary learning, in stages.

The model comes closest to the frequencies of characters near step 20, to which character follows which near
step 100, and then leaves both behind: its loss falls fast, then slowly, and faster again once it uses longer
contexts. Text that it never saw is predicted as well as its own. With little text it learns that by heart
and worsens on other text. The shifted set is source code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from grokscope.collectors.measures.instrument import Named
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.sequences.next_token import context_gain, divergences, next_token, predicting
from grokscope.experiments.sequences.texts import python_help, python_source
from grokscope.experiments.training.batches import Split, batch_source, examples_a_step
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern
from grokscope.schemas.runs.description import Value

_CODES = 128
_LONGEST = 200_000
_WINDOWS = 48
_EARLY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterLM(Recipe):
    """Settings of a language model of characters."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "transformer", "activation": "relu", "normalization": "before each layer"},
        "computation": {"task": "next character"},
        "data": {"text": "Python's help"},
    }

    steps: int = setting(1000, axis="exposure", says="optimizer steps")
    batch: int = setting(16, axis="exposure", says="windows a step; 0 takes all")
    loss: str = setting(
        "cross_entropy",
        axis="protocol",
        says="cross_entropy, and nothing else here",
        allowed=("cross_entropy",),
    )
    lr: float = setting(2e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.01, axis="regularization", says="decoupled weight decay")
    characters: int = setting(_LONGEST, axis="data", says="length of the text that is trained on")
    context: int = setting(64, axis="data", says="characters that are read", allowed=Range(least=2))
    layers: int = setting(2, axis="scale", param="depth", says="blocks", allowed=Range(least=1))
    heads: int = setting(4, axis="architecture", says="heads a layer", allowed=Range(least=1))
    width: int = setting(64, axis="scale", says="size of the residual stream", allowed=Range(least=1))
    hidden: int = setting(128, axis="scale", says="hidden units of each block's MLP", allowed=Range(least=0))


def windows(text: Tensor, context: int) -> Split:
    """Return a text [L] as inputs and targets [N, context], end to end.

    >>> windows(torch.arange(5), 2)
    (tensor([[0, 1],
            [2, 3]]), tensor([[1, 2],
            [3, 4]]))
    """
    return next_token(text.unfold(0, context + 1, context))


def character_counts(text: Tensor) -> tuple[Tensor, Tensor]:
    """Return how often each character comes, [128], and which follows which, [128, 128]; from 0.01 each.

    >>> frequencies, following = character_counts(torch.tensor([1, 2, 1]))
    >>> frequencies[1].round().item(), following[2, 1].round().item(), following[1, 1].round().item()
    (2.0, 1.0, 0.0)
    """
    pairs = torch.bincount(_CODES * text[:-1] + text[1:], minlength=_CODES**2).view(_CODES, _CODES)
    return 0.01 + torch.bincount(text, minlength=_CODES), 0.01 + pairs


def prepare(recipe: CharacterLM) -> Training:
    """Return the training that a recipe describes.

    Raises:
        ValueError: If the text is shorter than two windows, or longer than there is.
    """
    _check(recipe)
    torch.manual_seed(recipe.seed)
    text = python_help()
    known = text[: recipe.characters]
    train_set = windows(known, recipe.context)
    test_set = _some(windows(text[_LONGEST:], recipe.context))
    shifted = _some(windows(python_source("statistics"), recipe.context))
    count = len(train_set[1])
    return predicting(
        _model(recipe),
        batch_source(train_set, recipe.batch, seed=recipe.seed),
        {"train": _some(train_set), "test": test_set, "shift:source_code": shifted},
        batch=examples_a_step(recipe.batch, count),
        examples=count,
        measures=(
            _by_counts(test_set[0], known),
            context_gain(test_set, early=min(_EARLY, recipe.context - 1), late=recipe.context),
        ),
    )


def _check(recipe: CharacterLM) -> None:
    if not 2 * recipe.context < recipe.characters <= _LONGEST:
        raise ValueError(
            f"characters is above {2 * recipe.context}, two windows, and up to {_LONGEST}, "
            f"got {recipe.characters}"
        )


def _model(recipe: CharacterLM) -> Transformer:
    return Transformer(
        tokens=_CODES,
        context=recipe.context,
        width=recipe.width,
        heads=recipe.heads,
        layers=recipe.layers,
        mlp=recipe.hidden,
        has_norm=True,
    )


def _by_counts(read: Tensor, text: Tensor) -> Named:
    frequencies, following = (one / one.sum(dim=-1, keepdim=True) for one in character_counts(text))
    return divergences(
        read, {"unigrams": frequencies.expand(*read.shape, _CODES), "bigrams": following[read]}
    )


def _some(split: Split) -> Split:
    """Return windows from all over a text."""
    inputs, targets = split
    chosen = torch.linspace(0, len(inputs) - 1, min(_WINDOWS, len(inputs))).long()
    return inputs[chosen], targets[chosen]


LEARNS = Expectation(
    says="text that it never saw is learned together with its own",
    patterns=frozenset({Pattern.COMPREHENSION}),
    without=frozenset({Kind.OVERFITTING}),
)
OVERFITS = Expectation(
    says="worsens on text that it never saw while it learns its own",
    kinds=frozenset({Kind.OVERFITTING}),
    metric="test/loss",
)

CHARACTER_LM = Experiment(
    name="character-lm",
    title="A transformer predicts the next character of Python's help",
    event="ordinary learning, in stages",
    source="stages after Hoogland et al. 2024, arXiv:2402.02364",
    recipe=CharacterLM,
    prepare=prepare,
    arms=(
        Arm(group="200,000 characters", expects=LEARNS),
        Arm(group="5,000 characters", settings={"characters": 5000}, expects=OVERFITS, is_control=True),
    ),
    seconds=25,
)
