"""Neural collapse: how tightly a representation gathers around its class means."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.probing import last_linear
from grokscope.collectors.measures.representation.simplex import (
    NC2_ANGLES,
    NC2_NORMS,
    NC3,
    NC4,
    class_means,
    nc2_angles,
    nc2_norms,
    nc3,
    nc4,
)
from grokscope.collectors.tensors.predictions import widened
from grokscope.schemas import Direction, Measure, Tier


def nc1(features: Tensor, labels: Tensor, *, classes: int) -> Tensor:
    """Return within-class scatter over between-class scatter; 0 is full collapse.

        NC1 = tr S_W / tr S_B,  tr S_W = (1/N) Σᵢ ‖hᵢ - μ_{yᵢ}‖²,  tr S_B = Σ_c (n_c/N) ‖μ_c - μ‖²

    Class means are those of the features given, so that held-out features are measured by themselves. Classes
    weigh by their number of samples: the two scatters then sum to the total one, and an absent class is none.

    Args:
        features: ``[N, d]``, N ≥ 1, on one device with the labels.
        labels: ``[N]`` class indices in 0..classes-1 (not checked: that would synchronise).
        classes: C, so that nothing has to be read back from the device.

    Returns:
        Scalar tensor ≥ 0, no synchronisation; infinite if all class means agree, NaN if all features do (or
        one is NaN).

    Raises:
        ValueError: If shapes do not match or there are no samples.

    Source: Papyan et al. 2020, arXiv:2008.08186. Cost: four passes over the features.

    >>> import torch
    >>> features = torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    >>> nc1(features, torch.tensor([0, 0, 1, 1]), classes=2)
    tensor(0.2500)
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or not labels.numel():  # noqa: PLR2004
        raise ValueError(
            f"features must be [N, d] and labels [N] with N at least 1, got {list(features.shape)} and "
            f"{list(labels.shape)}; flatten leading dimensions"
        )
    features, labels = widened(features.detach()), labels.detach().long()
    # Centred first: the scatters of features far from 0 would otherwise drown in rounding.
    centred = features - features.mean(dim=0)
    count = centred.new_zeros(classes).index_add_(0, labels, centred.new_ones(len(labels)))
    total = centred.new_zeros(classes, centred.shape[1]).index_add_(0, labels, centred)
    means = total / count.clamp_min(1).unsqueeze(1)
    within = (centred - means.index_select(0, labels)).square().sum()
    between = (means.square().sum(dim=1) * count).sum()
    return within / between


NC1 = Measure(
    key="representation/nc1",
    label="within-class / between-class scatter (NC1)",
    unit="1",
    low=0.0,
    direction=Direction.DOWN,
    tier=Tier.CHEAP,
    formula=formula_of(nc1),
    source="Papyan et al. 2020, arXiv:2008.08186",
    around="leads by .39 on train, .28 on test, monotone (measured here)",
)


@gives(NC1, NC2_NORMS, NC2_ANGLES, NC3, NC4, use=Use.DEFAULT)
def neural_collapse(*, most_classes: int = 1000) -> MeasureFn:
    """Return the instrument of ``representation/nc1`` to ``nc4``, each ``/<split>``, where a pass found one.

    Of more than ``most_classes`` classes, as tokens are, only NC1 is measured: a batch holds hardly
    any twice, and all pairs of them would cost more than a training step.

    Class means are those of the split itself, but for NC4, which decides by the nearest class mean of
    ``train`` (of the split itself without one). NC3 needs the classifier: the model's last ``nn.Linear`` from
    the representation to the logits, and is left out where there is none.

    Args:
        most_classes: C up to which NC2 to NC4 are measured.

    Source: Papyan et al. 2020, arXiv:2008.08186. Cost: some six passes over the features, O(C² d + N C d).

    >>> import torch
    >>> from torch import nn
    >>> found = Pass(logits=torch.eye(2), targets=torch.tensor([0, 1]), features=torch.eye(2))
    >>> context = StepContext(step=0, model=nn.Linear(2, 2), passes={"test": found})
    >>> [key.split("/")[1] for key in neural_collapse()(context)]
    ['nc1', 'nc2_norms', 'nc2_angles', 'nc4', 'nc3']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        few = {split: p for split, p in context.passes.items() if p.logits.shape[1] <= most_classes}
        means = {split: _means(found) for split, found in few.items()}
        for split, found in context.passes.items():
            measured = _scatter(found)
            own, decided_by = means.get(split), means.get("train", means.get(split))
            if own is not None and decided_by is not None:
                measured |= _simplex(found, own, decided_by, last_linear(context.model, own.shape))
            values |= {one.at(split): value for one, value in measured.items()}
        return values

    return measure


def _means(found: Pass) -> Tensor | None:
    if found.features is None:
        return None
    return class_means(found.features, found.targets, classes=found.logits.shape[1])


def _scatter(found: Pass) -> dict[Measure, Tensor]:
    if found.features is None:
        return {}
    return {NC1: nc1(found.features, found.targets, classes=found.logits.shape[1])}


def _simplex(found: Pass, own: Tensor, decided_by: Tensor, weight: Tensor | None) -> dict[Measure, Tensor]:
    measured = {NC2_NORMS: nc2_norms(own), NC2_ANGLES: nc2_angles(own)}
    if found.features is not None:
        measured[NC4] = nc4(found.features, found.logits, decided_by)
    return measured if weight is None else measured | {NC3: nc3(own, weight)}
