"""The neural tangent kernel beside the labels: is the network about to learn what it is asked?"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.functional import Predict
from grokscope.collectors.tensors.signs import random_signs
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Direction, Measure, Tier


def tangent_kernel(predict: Predict, parameters: Sequence[Tensor], *, outputs: Tensor) -> Tensor:
    """Return the empirical tangent kernel, summed over directions of the output.

        K_ij = Σ_v ⟨∇ v·f(x_i), ∇ v·f(x_j)⟩

    The identity as ``outputs`` gives the trace kernel Σ_c ⟨∇f_c(x_i), ∇f_c(x_j)⟩; random signs estimate it,
    up to their number, without bias. A column is made by one product with the Jacobian and one with its
    transpose, so that no ``[N, P]`` table of gradients is ever held.

    Args:
        predict: Gives logits ``[N, C]`` from the parameters.
        parameters: Where the kernel is taken.
        outputs: ``[V, C]``, the directions v.

    Returns:
        ``[N, N]``, symmetric; no synchronisation.

    Source: Jacot et al. 2018, arXiv:1806.07572. Cost: 2 N V backward passes over the N samples.

    >>> kernel = tangent_kernel(
    ...     lambda p: torch.tensor([[1.0], [2.0]]) @ p[0], [torch.zeros(1, 3)], outputs=torch.eye(3)
    ... )
    >>> kernel
    tensor([[ 3.,  6.],
            [ 6., 12.]])
    """
    with torch.enable_grad():
        leaves = [p.detach().requires_grad_() for p in parameters]
        logits = predict(leaves)
        kernel = logits.new_zeros(len(logits), len(logits))
        for direction in outputs.to(logits):
            kernel = kernel + _kernel_of(logits @ direction, leaves)
    return kernel.detach()


def kernel_alignment(kernel: Tensor, targets: Tensor, *, classes: int) -> Tensor:
    """Return the centred alignment of a kernel with the labels: 1 is a kernel that knows the classes.

        A = ⟨K_c, Y_c⟩ / (‖K_c‖ ‖Y_c‖),  Y_ij = 1 if y_i = y_j else 0,  K_c = M K M with M = I - 1/N

    Args:
        kernel: ``[N, N]``, symmetric.
        targets: ``[N]`` class indices.
        classes: C.

    Returns:
        Scalar tensor, in [0, 1] for a positive kernel, no synchronisation; NaN if all targets agree.

    Raises:
        ValueError: If shapes do not match.

    Source: Cortes et al. 2012, JMLR 13:795. Cost: N² (C + 1) products.

    >>> kernel_alignment(torch.eye(4), torch.tensor([0, 0, 1, 1]), classes=2)
    tensor(0.5774)
    """
    if kernel.shape != (len(targets), len(targets)):
        raise ValueError(
            f"kernel must be [N, N] for targets [N], got {list(kernel.shape)} and {list(targets.shape)}; "
            "take both from the same samples"
        )
    centred = _centred(kernel)
    labels = one_hot(targets.long(), classes).to(kernel)
    wanted = _centred(labels @ labels.T)
    return (centred * wanted).sum() / (vector_norm(centred) * vector_norm(wanted))


def _kernel_of(scores: Tensor, leaves: Sequence[Tensor]) -> Tensor:
    """Return the kernel ``[N, N]`` of one score a sample."""
    # Jᵀu is linear in u, so its derivative along a gradient g is J g: one more backward pass.
    dummy = torch.zeros_like(scores, requires_grad=True)
    pulled = torch.autograd.grad(
        scores, leaves, dummy, create_graph=True, allow_unused=True, materialize_grads=True
    )
    used = [i for i, part in enumerate(pulled) if part.requires_grad]
    columns: list[Tensor] = []
    for unit in torch.eye(len(scores), dtype=scores.dtype, device=scores.device):
        gradient = torch.autograd.grad(
            scores, [leaves[i] for i in used], unit, retain_graph=True, materialize_grads=True
        )
        columns += torch.autograd.grad([pulled[i] for i in used], dummy, gradient, retain_graph=True)
    return torch.stack(columns)


def _centred(kernel: Tensor) -> Tensor:
    rows = kernel - kernel.mean(dim=0, keepdim=True)
    return rows - rows.mean(dim=1, keepdim=True)


KERNEL_ALIGNMENT = Measure(
    key="curvature/kernel_alignment",
    label="alignment of the tangent kernel with the labels",
    unit="1",
    low=-1.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.COSTLY,
    formula=formula_of(kernel_alignment),
    source="Cortes et al. 2012, JMLR 13:795",
    around="half of its rise leads (arXiv:2310.06110; 5 of 5 seeds elsewhere)",
)


@gives(KERNEL_ALIGNMENT)
def tangent_alignment(*, subset: Subset | None = None, outputs: int = 4) -> MeasureFn:
    """Return the instrument of ``curvature/kernel_alignment``, for targets that are classes.

    The random directions of the output are the same at every step.

    Args:
        subset: The samples; 128 of the train split by default.
        outputs: Random directions of the output that estimate the sum over classes.

    Source: Cortes et al. 2012, JMLR 13:795. Cost: 2 · samples · outputs backward passes over the samples.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(tangent_alignment()(StepContext(step=0, model=nn.Linear(2, 3), splits={"train": data})))
    ['curvature/kernel_alignment']
    """
    chosen = subset or Subset(samples=128)

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        targets = taken.targets.flatten()[: chosen.samples]

        def predict(parameters: Sequence[Tensor]) -> Tensor:
            return taken.predict(parameters)[: chosen.samples]

        classes = predict(taken.parameters).shape[1]
        signs = random_signs(outputs, classes, generator=fixed(context, 0))
        kernel = tangent_kernel(predict, taken.parameters, outputs=signs)
        return {KERNEL_ALIGNMENT.key: kernel_alignment(kernel, targets, classes=classes)}

    return measure
