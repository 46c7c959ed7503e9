"""Training to predict the next token of sequences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Measuring
from grokscope.collectors.measures.instrument import Named, StepContext, instrument
from grokscope.collectors.measures.outputs.in_context import IN_CONTEXT_SCORE, in_context_score
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.training import Training


def next_token(tokens: Tensor) -> Split:
    """Return sequences [N, T + 1] as inputs and targets [N, T] each.

    >>> import torch
    >>> next_token(torch.tensor([[1, 2, 3]]))
    (tensor([[1, 2]]), tensor([[2, 3]]))
    """
    return tokens[:, :-1], tokens[:, 1:]


def attention_only(*, tokens: int, length: int, width: int, heads: int, layers: int) -> Transformer:
    """Return a transformer without MLPs and normalization, its embeddings of deviation 1.

    Args:
        tokens: Size of the vocabulary.
        length: Of the sequences.
        width: Of the residual stream.
        heads: A layer.
        layers: Of attention.

    >>> round(attention_only(tokens=500, length=9, width=8, heads=1, layers=2).embedding.weight.std().item())
    1
    """
    model = Transformer(tokens=tokens, context=length, width=width, heads=heads, layers=layers)
    for embedding in (model.embedding, model.positions):
        nn.init.normal_(embedding.weight)
    return model


def predicting(  # noqa: PLR0913 - keyword-only sizes of one training
    model: Transformer,
    draw: Callable[[], Split],
    splits: Mapping[str, Split],
    *,
    batch: int,
    examples: int | None = None,
    measures: Sequence[Any] = (),
) -> Training:
    """Return the training of a model of tokens by the cross-entropy of each next one.

    Args:
        model: From tokens [N, T] to logits [N, T, C].
        draw: Gives the inputs and targets [N, T] of a step.
        splits: Split name -> inputs and targets [N, T] that it is evaluated on.
        batch: N of a step.
        examples: Sequences of the training set; ``None`` where they are drawn anew at each step.
        measures: What is measured besides the default measures.
    """

    def loss_of(step: int) -> Tensor:
        del step
        inputs, targets = draw()
        return cross_entropy(model(inputs).flatten(0, 1), targets.flatten())

    # Heads are few and small here: what they look at is read whenever the curves are.
    measuring = Measuring(examples_per_step=batch, dataset_examples=examples, budget=1.0)
    return Training(model=model, loss_of=loss_of, splits=splits, measuring=measuring, measures=measures)


def context_gain(sequences: Split, *, early: int, late: int) -> Named:
    """Return the instrument of ``test/in_context_score`` on sequences all of whose targets count.

    Args:
        sequences: Inputs and targets [N, T].
        early: Position counted from 1.
        late: Position counted from 1.

    >>> import torch
    >>> tokens = next_token(torch.zeros(2, 4, dtype=torch.int64))
    >>> model = Transformer(tokens=5, context=3)
    >>> list(context_gain(tokens, early=1, late=3)(StepContext(step=0, model=model)))
    ['test/in_context_score']
    """
    inputs, targets = sequences

    @instrument(name="context_gain")
    def measure(context: StepContext) -> Mapping[str, Tensor]:
        logits = context.model(inputs)
        losses = cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        return {IN_CONTEXT_SCORE.at("test"): in_context_score(losses, early=early, late=late)}

    return measure


def divergences(read: Tensor, ways: Mapping[str, Tensor]) -> Named:
    """Return the instrument of how far the model is from simpler ways to predict, in nats.

        mean over n, t of Σ_k q_k log(q_k / p_k),  q a way's prediction, p the model's

    It gives ``task/divergence_from_<way>``.

    Args:
        read: [N, T] tokens.
        ways: Name -> predictions [N, T, C], above 0.

    Source: Edelman et al. 2024, arXiv:2402.11004.

    >>> import torch
    >>> model = Transformer(tokens=2, context=3)
    >>> uniform = divergences(torch.tensor([[0, 1, 0]]), {"uniform": torch.full((1, 3, 2), 0.5)})
    >>> list(uniform(StepContext(step=0, model=model)))
    ['task/divergence_from_uniform']
    """

    @instrument(name="divergences")
    def measure(context: StepContext) -> Mapping[str, Tensor]:
        logs = context.model(read).log_softmax(dim=-1)
        return {
            f"task/divergence_from_{way}": (wanted * (wanted.log() - logs)).sum(dim=-1).mean()
            for way, wanted in ways.items()
        }

    return measure
