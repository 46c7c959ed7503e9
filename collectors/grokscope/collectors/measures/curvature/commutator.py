"""The commutator defect: how much the order of two batches matters."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, halves, take
from grokscope.collectors.tensors.functional import Loss, hessian_product, value_and_gradient
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Measure, Tier


def commutator_defect(first: Loss, second: Loss, parameters: Sequence[Tensor]) -> Tensor:
    """Return how far apart two small gradient steps end when their batches change places.

        D = lim_{η→0} ‖θ_AB - θ_BA‖ / (η² ‖g_A‖ ‖g_B‖) = ‖H_B g_A - H_A g_B‖ / (‖g_A‖ ‖g_B‖)

    The Lie bracket of the two gradient fields. The source takes two steps of η = 1e-3; once gradients are
    small, single precision does not hold their difference, so this takes the limit by Hessian products.

    Args:
        first: Loss of batch A as a function of the parameters.
        second: Loss of batch B.
        parameters: θ.

    Returns:
        Scalar tensor ≥ 0, no synchronisation; NaN where a gradient is 0.

    Source: Xu 2026, arXiv:2602.16746. Cost: two gradients and two Hessian products, some eight gradients.

    >>> import torch
    >>> theta, b = [torch.tensor([4.0, 3.0])], torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> commutator_defect(lambda p: p[0][0] ** 2 / 2, lambda p: p[0] @ b @ p[0] / 2, theta)
    tensor(0.2500)
    """
    # Divided by one length before the product and by the other after it: tiny ones multiplied would vanish.
    towards_first, towards_second = (value_and_gradient(loss, parameters)[1] for loss in (first, second))
    length_first, length_second = vector_norm(towards_first), vector_norm(towards_second)
    moved_second = hessian_product(second, parameters)(towards_first / length_first) / length_second
    moved_first = hessian_product(first, parameters)(towards_second / length_second) / length_first
    return vector_norm(moved_second - moved_first)


COMMUTATOR = Measure(
    key="curvature/commutator",
    label="commutator defect",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(commutator_defect),
    source="Xu 2026, arXiv:2602.16746",
    around="leads by .43, not monotone (measured here)",
)


@gives(COMMUTATOR)
def commutator(*, subset: Subset | None = None) -> MeasureFn:
    """Return the instrument of ``curvature/commutator``: two halves of the subset, in either order.

    Args:
        subset: The samples; every other one makes a batch.

    Source: Xu 2026, arXiv:2602.16746. Cost: two gradients and two Hessian products of half the subset.

    >>> import torch
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(commutator()(StepContext(step=0, model=torch.nn.Linear(2, 3), splits={"train": data})))
    ['curvature/commutator']
    """
    chosen = subset or Subset()

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None or taken.targets.numel() < 2:  # noqa: PLR2004 - one a batch
            return {}
        first, second = halves(taken)
        return {COMMUTATOR.key: commutator_defect(first, second, taken.parameters)}

    return measure
