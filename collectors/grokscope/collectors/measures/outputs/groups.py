"""How evenly a model serves classes and slices of the data: what one mean over all samples hides."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.location import location
from grokscope.collectors.tensors.predictions import checked_predictions
from grokscope.schemas import Direction, Measure


def group_losses(logits: Tensor, targets: Tensor, groups: Tensor, *, count: int) -> Tensor:
    """Return the mean cross-entropy of each group of samples.

        L_g = mean of -log softmax(zᵢ)[yᵢ] over the samples of group g

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        groups: ``[N]`` group indices in 0..count-1 (not checked: that would synchronise).
        count: G, so that nothing has to be read back from the device.

    Returns:
        ``[G]`` in nats, no synchronisation; NaN for a group without samples.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: one softmax pass.

    >>> group_losses(torch.zeros(3, 2), torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1]), count=2)
    tensor([0.6931, 0.6931])
    """
    logits, targets = checked_predictions(logits, targets)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return _means(losses, _checked(groups, targets), count)


def group_accuracies(logits: Tensor, targets: Tensor, groups: Tensor, *, count: int) -> Tensor:
    """Return the accuracy of each group of samples, as ``accuracy`` counts it.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        groups: ``[N]`` group indices in 0..count-1 (not checked: that would synchronise).
        count: G.

    Returns:
        ``[G]`` in [0, 1], no synchronisation; NaN for a group without samples. The worst group's is the least
        of them, ``fmin`` over NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Sagawa et al. 2020, arXiv:1911.08731. Cost: one pass.

    >>> logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> group_accuracies(logits, torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), count=3)
    tensor([0.5000, 1.0000,    nan])
    """
    logits, targets = checked_predictions(logits, targets)
    own = logits.gather(1, targets.unsqueeze(1)).squeeze(1)
    hits = ((logits.argmax(dim=1) == targets) & ~own.isnan()).to(logits.dtype)
    return _means(hits, _checked(groups, targets), count)


def macro_accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over classes of each class's own accuracy: rare classes count as much as common ones.

        (1/C') Σ_c (hits of class c / samples of class c),  over the C' classes that occur

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [0, 1], no synchronisation.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: balanced accuracy, Brodersen et al. 2010. Cost: one pass.

    >>> macro_accuracy(torch.tensor([[1.0, 0.0]]).repeat(4, 1), torch.tensor([0, 0, 0, 1]))
    tensor(0.5000)
    """
    classes = logits.shape[1] if logits.ndim > 1 else 0
    return group_accuracies(logits, targets, targets, count=classes).nanmean()


def _means(values: Tensor, groups: Tensor, count: int) -> Tensor:
    sums, sizes = values.new_zeros(2, count).unbind()
    return sums.index_add_(0, groups, values) / sizes.index_add_(0, groups, torch.ones_like(values))


def _checked(groups: Tensor, targets: Tensor) -> Tensor:
    if groups.shape != targets.shape:
        raise ValueError(
            f"groups must name one group a sample, got {list(groups.shape)} for targets "
            f"{list(targets.shape)}; ignored targets have to be left out of both"
        )
    return groups.to(targets.device, torch.int64)


_LI = "Li, Fan & Zhou 2025, arXiv:2506.21551"

MACRO_ACCURACY = Measure(
    key="<split>/macro_accuracy",
    label="accuracy averaged over classes",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    formula=formula_of(macro_accuracy),
    source="Brodersen et al. 2010",
)
GROUP_LOSS = Measure(
    key="groups/loss",
    label="cross-entropy of a slice of the data",
    unit="nats",
    low=0.0,
    direction=Direction.DOWN,
    formula=formula_of(group_losses),
    source=_LI,
    around="slice by slice, not together (arXiv:2506.21551)",
)
GROUP_ACCURACY = Measure(
    key="groups/accuracy",
    label="accuracy on a slice of the data",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    formula="accuracy over the samples of group g",
    source=_LI,
)
WORST_ACCURACY = Measure(
    key="groups/worst_accuracy",
    label="accuracy on the worst slice of the data",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    formula="min_g of the groups' accuracies",
    source="Sagawa et al. 2020, arXiv:1911.08731",
)


@gives(MACRO_ACCURACY)
def macro() -> MeasureFn:
    """Return the instrument of ``<split>/macro_accuracy``.

    Source: Brodersen et al. 2010. Cost: one pass over the logits, free.

    >>> list(macro()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        return {
            MACRO_ACCURACY.at(split): macro_accuracy(seen.logits, seen.targets)
            for split, seen in context.passes.items()
        }

    return measure


@gives(GROUP_LOSS, GROUP_ACCURACY, WORST_ACCURACY, use=Use.NAMED)
def slices(groups: Mapping[str, Tensor], *, names: Sequence[str] | None = None) -> MeasureFn:
    """Return the instrument of ``groups/accuracy`` and ``groups/loss``, each ``/<split>/<group>``.

    The worst group's accuracy comes as ``groups/worst_accuracy/<split>``.

    Args:
        groups: Split name -> the group of each target, ``[N]`` or ``[N, T]`` indices from 0 in the order of
            the data.
        names: Of the groups; their numbers by default.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: two passes over the logits, free.

    >>> from grokscope.collectors.evaluating.forward_pass import Pass
    >>> found = Pass(logits=torch.eye(2), targets=torch.tensor([0, 0]), features=None)
    >>> context = StepContext(step=0, model=torch.nn.ReLU(), passes={"test": found})
    >>> slices({"test": torch.tensor([0, 1])}, names=["even", "odd"])(context)["groups/accuracy/test/odd"]
    tensor(0.)
    """
    most = 1 + max(int(ids.max()) for ids in groups.values())
    called = [location(name) for name in names or map(str, range(most))]
    if len(called) < most:
        raise ValueError(f"names must name all {most} groups, got {len(called)}; name each, or none")

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split in groups.keys() & context.passes.keys():
            found, ids = context.passes[split], groups[split].flatten()
            losses = group_losses(found.logits, found.targets, ids, count=len(called))
            right = group_accuracies(found.logits, found.targets, ids, count=len(called))
            places = [f"{split}/{name}" for name in called]
            values |= dict(zip(map(GROUP_LOSS.at, places), losses, strict=True))
            values |= dict(zip(map(GROUP_ACCURACY.at, places), right, strict=True))
            values[WORST_ACCURACY.at(split)] = right.nan_to_num(torch.inf).amin()
        return values

    return measure
