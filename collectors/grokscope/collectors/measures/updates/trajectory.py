"""Which way the parameters have been going: a window of updates under one fixed random projection."""

from collections import deque
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.schemas import Measure, Tier


def sketch(parameters: Iterable[Tensor], *, width: int, seed: int = 0) -> Tensor:
    """Return a fixed random projection of all parameters taken as one vector.

        s_k = Σ_{i ≡ k mod width} εᵢ θᵢ,  εᵢ = ±1 drawn once a seed

    Inner products survive it: unbiased, with a relative standard deviation of at most √(2/width); exact up to
    signs while there are no more parameters than ``width``.

    Args:
        parameters: Tensors of any shape on one device, always in the same order.
        width: Length of the projection.
        seed: Of the signs; one seed for all that is to be compared.

    Returns:
        ``[width]`` on the parameters' device, no synchronisation, no draw from the global generator.

    Raises:
        ValueError: If ``width`` is less than 1.

    Source: count sketch, Charikar et al. 2002. Cost: one pass and as many random bits as parameters.

    >>> sketch([torch.tensor([3.0, 4.0])], width=2).abs()
    tensor([3., 4.])
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}; 4096 keeps angles to 2 %")
    total, position = torch.zeros(width), 0
    for parameter in parameters:
        flat = widened(real(parameter.detach())).flatten()
        if not position:
            total = flat.new_zeros(width)
        generator = torch.Generator(flat.device).manual_seed(seed + position)
        signs = torch.randint(0, 2, flat.shape, generator=generator, device=flat.device, dtype=torch.int8)
        start = position % width
        folded = torch.nn.functional.pad(flat * (2 * signs - 1), (start, -(start + len(flat)) % width))
        total, position = total + folded.view(-1, width).sum(dim=0), position + len(flat)
    return total


def trajectory_measures(updates: Tensor) -> dict[str, Tensor]:
    """Return how strongly a window of updates points one way, by quantity, keyed as in ``schemas.metrics``.

        first_share = σ₁² / Σ σ²,  first_gap = σ₁ / σ₂,  second_gap = σ₂ / σ₃

    with σ the singular values of the updates (roots of the eigenvalues of their Gram matrix).

    Args:
        updates: ``[w, k]``, an update or its sketch a row, w ≥ 3.

    Returns:
        Scalar tensors, no synchronisation of its own; the share is NaN if nothing moved, a gap infinite where
        the lower singular value is 0.

    Raises:
        ValueError: If there are fewer than three updates.

    Source: Xu 2026, arXiv:2603.28964. Cost: O(w² k).

    >>> trajectory_measures(torch.diag(torch.tensor([4.0, 2.0, 1.0])))["first_gap"]
    tensor(2.)
    """
    if updates.ndim != 2 or len(updates) < 3 or updates.shape[1] < 3:  # noqa: PLR2004 - two gaps need three values
        raise ValueError(f"updates must be [w, k] with w and k at least 3, got {list(updates.shape)}; wait")
    first, second, third = (spectrum := singular_values([updates])[0])[:3].unbind()
    return {
        "first_share": first.square() / spectrum.square().sum(),
        "first_gap": first / second,
        "second_gap": second / third,
    }


_XU = "Xu 2026, arXiv:2603.28964"

FIRST_SHARE = Measure(
    key="updates/first_share",
    label="share of recent updates in their first direction",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(trajectory_measures),
    source=_XU,
    around="leads by .25, range .06 to .51 (measured here)",
)
FIRST_GAP = Measure(
    key="updates/first_gap",
    label="σ₁/σ₂ of recent updates",
    unit="1",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(trajectory_measures),
    source=_XU,
    around="with weight decay, before (arXiv:2603.28964)",
)
SECOND_GAP = Measure(
    key="updates/second_gap",
    label="σ₂/σ₃ of recent updates",
    unit="1",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(trajectory_measures),
    source=_XU,
)


@gives(FIRST_SHARE, FIRST_GAP, SECOND_GAP)
def update_window(*, window: int = 10, width: int = 4096) -> MeasureFn:
    """Return the instrument of ``updates/first_share``, ``first_gap`` and ``second_gap`` over recent updates.

    An update is the way from one evaluation to the next. Evaluations of unequal distance weigh by their
    length.

    Args:
        window: Updates that are held, at least 3; nothing is measured until there are so many.
        width: Dimensions of the fixed random projection under which they are held.

    Raises:
        ValueError: If ``window`` is less than 3.

    Source: Xu 2026, arXiv:2603.28964. Cost: one pass over the parameters; window times width values kept.

    >>> list(update_window()(StepContext(step=0, model=torch.nn.Linear(1, 1))))
    []
    """
    if window < 3:  # noqa: PLR2004 - two gaps need three values
        raise ValueError(f"window must be at least 3, got {window}; two gaps need three updates")
    held = deque[Tensor](maxlen=window + 1)

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        held.append(sketch(context.model.parameters(), width=width))
        if len(held) <= window:
            return {}
        measured = trajectory_measures(torch.stack([*held]).diff(dim=0))
        return {f"updates/{quantity}": value for quantity, value in measured.items()}

    return measure
