"""Hidden progress on a sparse parity: what points to the secret bits long before the accuracy does."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.subset import fixed
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.signs import random_signs
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Direction, Measure, Tier


def relevant_mass(weight: Tensor, relevant: Sequence[int]) -> Tensor:
    """Return the share of a first layer's squared weights that reads the relevant bits.

        Σ_{h, i ∈ S} w_hi² / Σ_hi w_hi²

    Args:
        weight: ``[h, n]``, a column a bit.
        relevant: S, the indices of the secret bits.

    Returns:
        Scalar tensor in [0, 1]: |S|/n for weights that favour none; no synchronisation.

    Raises:
        ValueError: If ``weight`` is no matrix, or an index is none of its columns or comes twice.

    Source: Merrill et al. 2023, arXiv:2303.11873. Cost: one pass over the weight.

    >>> import torch
    >>> relevant_mass(torch.tensor([[3.0, 0.0, 4.0]]), [2])
    tensor(0.6400)
    """
    if weight.ndim != 2:  # noqa: PLR2004 - units and bits
        raise ValueError(f"weight must be [h, n], a column a bit, got {list(weight.shape)}; flatten it")
    _check_bits(relevant, weight.shape[1])
    mass = widened(weight.detach()).square().sum(dim=0)
    return mass[list(relevant)].sum() / mass.sum()


def parity_correlation(outputs: Tensor, bits: Tensor, relevant: Sequence[int]) -> Tensor:
    """Return the normalised Fourier coefficient of the secret subset in the network's function.

        f̂(S) / ‖f‖ = E[f(x) χ_S(x)] / √E[f(x)²],  χ_S(x) = Π_{i ∈ S} x_i

    By Parseval its square is the share of f that is the parity: 1 when learned, about 1/√N for another f.

    Args:
        outputs: ``[N]``, f: the logit of one class less that of the other.
        bits: ``[N, n]`` of ±1, uniform.
        relevant: S, the indices of the secret bits.

    Returns:
        Scalar tensor in [-1, 1], no synchronisation; NaN if f is 0.

    Raises:
        ValueError: If shapes do not match, or an index is none of the bits or comes twice.

    Source: Barak et al. 2022, arXiv:2207.08799. Cost: two passes.

    >>> import torch
    >>> bits = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> parity_correlation(2 * bits[:, 0] * bits[:, 1], bits, [0, 1])
    tensor(1.)
    """
    if bits.ndim != 2 or outputs.shape != bits.shape[:1]:  # noqa: PLR2004 - samples and bits
        raise ValueError(
            f"outputs must be [N] and bits [N, n], got {list(outputs.shape)} and {list(bits.shape)}; "
            "give one output a sample"
        )
    _check_bits(relevant, bits.shape[1])
    outputs = widened(outputs.detach())
    character = bits[:, list(relevant)].to(outputs).prod(dim=1)
    return (outputs @ character) / (len(outputs) ** 0.5 * vector_norm(outputs))


def _check_bits(relevant: Sequence[int], bits: int) -> None:
    if not relevant or len(set(relevant)) != len(relevant) or not set(relevant) <= set(range(bits)):
        raise ValueError(
            f"relevant must name different bits of 0..{bits - 1}, at least one, got {list(relevant)}; "
            "count bits from 0"
        )


RELEVANT_MASS = Measure(
    key="task/relevant_mass",
    label="first-layer weight on the relevant bits",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.CHEAP,
    formula=formula_of(relevant_mass),
    source="Merrill et al. 2023, arXiv:2303.11873",
    around="leads (arXiv:2303.11873)",
)
PARITY_CORRELATION = Measure(
    key="task/parity_correlation",
    label="correlation of the output with the secret parity",
    unit="1",
    low=-1.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.CHEAP,
    formula=formula_of(parity_correlation),
    source="Barak et al. 2022, arXiv:2207.08799",
    around="leads (arXiv:2207.08799)",
)


@gives(RELEVANT_MASS, PARITY_CORRELATION, use=Use.NAMED)
def sparse_parity(
    *,
    bits: int,
    relevant: Sequence[int],
    inputs: Callable[[Tensor], Tensor] | None = None,
    layer: str | None = None,
    samples: int = 4096,
) -> MeasureFn:
    """Return the instrument of ``task/relevant_mass`` and ``task/parity_correlation``.

    The sign of the correlation tells which class stands for an odd number of -1; of a network of one output
    that output is used, of two the second less the first.

    Args:
        bits: n, of an input.
        relevant: The secret bits, counted from 0.
        inputs: From bits ``[N, n]`` of ±1 to what the model takes; by default the bits as they are. For 0/1
            inputs: ``lambda bits: (1 - bits) / 2``.
        layer: Dotted name of the layer that reads the bits; by default the first ``Linear`` of n inputs.
        samples: 1/√samples is the noise of the correlation.

    Source: Barak et al. 2022, arXiv:2207.08799. Cost: one forward pass over ``samples`` random inputs, the
    same at every step.

    >>> model = nn.Linear(4, 2)
    >>> list(sparse_parity(bits=4, relevant=[0, 1])(StepContext(step=0, model=model)))
    ['task/parity_correlation', 'task/relevant_mass']
    """
    prepare: Callable[[Tensor], Tensor] = inputs or (lambda drawn: drawn)

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        drawn = random_signs(samples, bits, generator=fixed(context, 0))
        with torch.no_grad():
            outputs = _difference(context.model(prepare(drawn)))
        values = {PARITY_CORRELATION.key: parity_correlation(outputs, drawn, relevant)}
        first = _first_layer(context.model, bits, layer)
        return values if first is None else values | {RELEVANT_MASS.key: relevant_mass(first, relevant)}

    return measure


def _difference(output: object) -> Tensor:
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    if isinstance(logits, Tensor) and logits.ndim == 1:
        return logits
    if isinstance(logits, Tensor) and logits.ndim == 2 and logits.shape[1] in (1, 2):  # noqa: PLR2004
        return logits[:, -1] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    got = list(logits.shape) if isinstance(logits, Tensor) else type(output).__name__
    raise ValueError(f"the model must return [N], [N, 1] or [N, 2], got {got}; wrap it so")


def _first_layer(model: nn.Module, bits: int, name: str | None) -> Tensor | None:
    modules = [model.get_submodule(name)] if name is not None else model.modules()
    found = [m.weight for m in modules if isinstance(m, nn.Linear) and m.in_features == bits]
    return found[0] if found else None
