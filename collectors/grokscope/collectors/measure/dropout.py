"""How much the answers hang on single units: the accuracy under dropout, mask by mask."""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from grokscope.collectors.measure.curves import accuracy
from grokscope.collectors.measure.surface import Predict

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@contextmanager
def dropping(model: nn.Module) -> Generator[bool]:
    """Let the model's dropout drop, and nothing else train, until the block ends.

    Gives whether there is any: modules of torch's own kinds with a rate above 0, attention's own included.
    Dropout that a model calls as a function is not seen.

    Args:
        model: Its other modules keep their mode.

    Source: Gal & Ghahramani 2016, arXiv:1506.02142. Cost: none.

    >>> model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5)).eval()
    >>> with dropping(model) as has_dropout:
    ...     has_dropout, [module.training for module in model]
    (True, [False, True])
    >>> model[1].training
    False
    """
    found = [m for m in model.modules() if isinstance(m, _DROPOUTS) and m.p > 0]
    attention = [m for m in model.modules() if isinstance(m, nn.MultiheadAttention) and m.dropout > 0]
    modes = [(module, module.training) for module in (*found, *attention)]
    try:
        for module, _ in modes:
            module.training = True
        yield bool(modes)
    finally:
        for module, mode in modes:
            module.training = mode


def dropout_accuracy(
    predict: Predict, parameters: list[Tensor], targets: Tensor, *, draws: int = 10
) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the accuracy over forward passes that differ at random.

    Call it inside ``dropping``; masks come from the global random state, which ``preserved_state`` puts back.

    Args:
        predict: Gives logits ``[N, C]`` from the parameters.
        parameters: θ.
        targets: ``[N]`` class indices.
        draws: Passes, at least 2.

    Returns:
        Two scalar tensors, the variance without bias; no synchronisation.

    Raises:
        ValueError: If ``draws`` < 2.

    Source: Salah & Yevick 2025, arXiv:2507.11645. Cost: ``draws`` forward passes.

    >>> dropout_accuracy(lambda p: p[0], [torch.eye(2)], torch.tensor([0, 0]))
    (tensor(0.5000), tensor(0.))
    """
    if draws < 2:  # noqa: PLR2004 - one draw has no variance
        raise ValueError(f"draws must be at least 2 to tell a variance, got {draws}; 10 is common")
    drawn = torch.stack([accuracy(predict(parameters), targets) for _ in range(draws)])
    return drawn.mean(), drawn.var()
