"""What a language model gains from its context."""

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.tensors.predictions import widened
from grokscope.schemas import Direction, Measure


def in_context_score(losses: Tensor, *, early: int = 50, late: int = 500) -> Tensor:
    """Return how much better the model predicts late in a sequence than early: more negative is better.

        mean over sequences of loss(late-th token) - loss(early-th token)

    Args:
        losses: ``[B, T]`` cross-entropy of each token, T ≥ late.
        early: Position counted from 1.
        late: Position counted from 1, after ``early``.

    Returns:
        Scalar tensor in nats, no synchronisation; NaN with NaN.

    Raises:
        ValueError: If the positions are not 1 ≤ early < late ≤ T.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: none beyond the losses.

    >>> import torch
    >>> in_context_score(torch.tensor([[3.0, 2.0, 0.5]]), early=1, late=3)
    tensor(-2.5000)
    """
    if losses.ndim != 2 or not 1 <= early < late <= losses.shape[1]:  # noqa: PLR2004 - sequences and tokens
        raise ValueError(
            f"positions must be 1 <= early < late <= T of losses [B, T], got early={early}, late={late} and "
            f"{list(losses.shape)}; choose positions within the sequences"
        )
    wide = widened(losses.detach())
    return (wide[:, late - 1] - wide[:, early - 1]).mean()


IN_CONTEXT_SCORE = Measure(
    key="<split>/in_context_score",
    label="loss late minus loss early in the context",
    unit="nats",
    direction=Direction.DOWN,
    formula=formula_of(in_context_score),
    source="Olsson et al. 2022, arXiv:2209.11895",
    around="with induction heads (arXiv:2209.11895)",
)


@gives(IN_CONTEXT_SCORE)
def in_context(*, early: int = 50, late: int = 500) -> MeasureFn:
    """Return the instrument of ``<split>/in_context_score`` for splits of token targets ``[B, T]``.

    Args:
        early: Position counted from 1.
        late: Position counted from 1; splits of shorter sequences are passed over.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: one softmax pass, free.

    >>> list(in_context()(StepContext(step=0, model=nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, found in context.passes.items():
            targets = _token_targets(context, split)
            # Where targets were ignored, rows no longer fall into sequences.
            if targets is not None and targets.shape[1] >= late and targets.numel() == len(found.targets):
                losses = nn.functional.cross_entropy(found.logits, found.targets, reduction="none")
                losses = losses.view(targets.shape)
                values[IN_CONTEXT_SCORE.at(split)] = in_context_score(losses, early=early, late=late)
        return values

    return measure


def _token_targets(context: StepContext, split: str) -> Tensor | None:
    data: object = context.splits.get(split)
    if not isinstance(data, tuple | list) or len(cast("Sequence[object]", data)) != 2:  # noqa: PLR2004
        return None
    targets = cast("Sequence[object]", data)[1]
    return targets if isinstance(targets, Tensor) and targets.ndim == 2 else None  # noqa: PLR2004
