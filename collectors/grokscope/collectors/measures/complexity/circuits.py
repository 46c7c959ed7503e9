"""How much the predictions change when weights are cut."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.functional import Predict
from grokscope.schemas import Measure, Tier


def circuit_complexity(
    predict: Predict,
    parameters: Sequence[Tensor],
    *,
    generator: torch.Generator,
    share: float = 0.1,
    draws: int = 5,
) -> Tensor:
    """Return how much the predictions change when a random share of the parameters is set to 0.

        mean over draws of (1/N) Σᵢ KL(p_i ‖ p̃_i),  p̃ with each parameter kept with probability 1 - share

    A solution that rests on many parameters at once minds more.

    Args:
        predict: Gives logits ``[N, C]`` from the parameters.
        parameters: θ.
        generator: On the parameters' device; the global random state is left alone.
        share: In [0, 1].
        draws: How many masks.

    Returns:
        Scalar tensor ≥ 0 in nats, no synchronisation.

    Raises:
        ValueError: If ``share`` is outside [0, 1] or ``draws`` below 1.

    Source: approximate local circuit complexity, after Golechha 2024, arXiv:2405.12755. Cost: draws + 1
    forward passes.

    >>> circuit_complexity(lambda p: p[0], [torch.eye(2)], generator=torch.Generator(), share=1.0)
    tensor(0.1109)
    """
    if not 0 <= share <= 1 or draws < 1:
        raise ValueError(
            f"share must lie in [0, 1] and draws be at least 1, got {share} and {draws}; 0.1 and 5 are common"
        )
    whole = torch.log_softmax(predict(parameters), dim=1)
    readings: list[Tensor] = []
    for _ in range(draws):
        kept = [
            p.detach() * (torch.rand(p.shape, generator=generator, device=p.device) >= share)
            for p in parameters
        ]
        cut = torch.log_softmax(predict(kept), dim=1)
        readings.append((whole.exp() * (whole - cut)).sum(dim=1).mean())
    return torch.stack(readings).mean().detach()


CIRCUIT_COMPLEXITY = Measure(
    key="weights/circuit_complexity",
    label="divergence when 10 % of the weights are cut",
    unit="nats",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(circuit_complexity),
    source="after Golechha 2024, arXiv:2405.12755",
    around="falls with grokking (arXiv:2405.12755)",
)


@gives(CIRCUIT_COMPLEXITY)
def cut_weights(*, subset: Subset | None = None, draws: int = 5) -> MeasureFn:
    """Return the instrument of ``weights/circuit_complexity``, a tenth of the weights cut.

    Which weights are cut does not differ between steps.

    Args:
        subset: The samples.
        draws: Masks.

    Source: after Golechha 2024, arXiv:2405.12755. Cost: draws + 1 forward passes.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(cut_weights()(StepContext(step=0, model=nn.Linear(2, 3), splits={"train": data})))
    ['weights/circuit_complexity']
    """
    chosen = subset or Subset()

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        generator = fixed(context, 0)
        value = circuit_complexity(taken.predict, taken.parameters, generator=generator, draws=draws)
        return {CIRCUIT_COMPLEXITY.key: value}

    return measure
