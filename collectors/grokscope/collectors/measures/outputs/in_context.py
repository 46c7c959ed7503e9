"""What a language model gains from its context."""

from torch import Tensor

from grokscope.collectors.tensors.predictions import widened


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
