"""How much the answers hang on single units: the accuracy under dropout, mask by mask."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.outputs.ranks import accuracy
from grokscope.collectors.measures.subset import Subset, take
from grokscope.collectors.tensors.functional import Predict
from grokscope.schemas import Direction, Measure, Tier

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


_SALAH = "Salah & Yevick 2025, arXiv:2507.11645"

DROPOUT_ACCURACY = Measure(
    key="representation/dropout_accuracy",
    label="mean accuracy under dropout",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.COSTLY,
    formula="mean of the accuracy over masks",
    source=_SALAH,
)
DROPOUT_VARIANCE = Measure(
    key="representation/dropout_variance",
    label="variance of the accuracy under dropout",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula="variance of the accuracy over masks",
    source=_SALAH,
    around="its rise leads, its peak is late (arXiv:2507.11645)",
)


@gives(DROPOUT_ACCURACY, DROPOUT_VARIANCE, use=Use.NAMED)
def dropout(*, subset: Subset | None = None, draws: int = 10) -> MeasureFn:
    """Return the instrument of ``representation/dropout_accuracy/<split>`` and ``dropout_variance``.

    Nothing is measured of a model without dropout modules.

    Args:
        subset: The samples; 512 of the test split by default.
        draws: Masks.

    Source: Salah & Yevick 2025, arXiv:2507.11645. Cost: ``draws`` forward passes.

    >>> import torch
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 3))
    >>> list(dropout()(StepContext(step=0, model=model, splits={"test": data})))
    ['representation/dropout_accuracy/test', 'representation/dropout_variance/test']
    """
    chosen = subset or Subset(split="test")

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        with dropping(context.model) as has_dropout:
            if not has_dropout:
                return {}
            mean, variance = dropout_accuracy(
                taken.predict, taken.parameters, taken.targets.flatten(), draws=draws
            )
        return {DROPOUT_ACCURACY.at(chosen.split): mean, DROPOUT_VARIANCE.at(chosen.split): variance}

    return measure
