"""Neural collapse of the representation, on each split."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.probing import last_linear
from grokscope.collectors.measures.representation.collapse import nc1
from grokscope.collectors.measures.representation.simplex import class_means, nc2_angles, nc2_norms, nc3, nc4


def neural_collapse(*, most_classes: int = 1000) -> Instrument:
    """Return the instrument of ``representation/nc1`` to ``nc4``, each ``/<split>``, where a pass found one.

    Of more than ``most_classes`` classes, as tokens are, only NC1 is read: a batch holds hardly
    any twice, and all pairs of them would cost more than a training step.

    Class means are those of the split itself, but for NC4, which decides by the nearest class mean of
    ``train`` (of the split itself without one). NC3 needs the classifier: the model's last ``nn.Linear`` from
    the representation to the logits, and is left out where there is none.

    Args:
        most_classes: C up to which NC2 to NC4 are read.

    Source: Papyan et al. 2020, arXiv:2008.08186. Cost: some six passes over the features, O(C² d + N C d).

    >>> import torch
    >>> from torch import nn
    >>> found = Pass(logits=torch.eye(2), targets=torch.tensor([0, 1]), features=torch.eye(2))
    >>> reading = Reading(step=0, model=nn.Linear(2, 2), passes={"test": found})
    >>> [key.split("/")[1] for key in neural_collapse()(reading)]
    ['nc1', 'nc2_norms', 'nc2_angles', 'nc4', 'nc3']
    """

    def neural_collapse(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        few = {split: p for split, p in reading.passes.items() if p.logits.shape[1] <= most_classes}
        means = {split: _means(found) for split, found in few.items()}
        for split, found in reading.passes.items():
            measured = _scatter(found)
            own, decided_by = means.get(split), means.get("train", means.get(split))
            if own is not None and decided_by is not None:
                measured |= _simplex(found, own, decided_by, last_linear(reading.model, own.shape))
            values |= {f"representation/{q}/{split}": value for q, value in measured.items()}
        return values

    return instrument(neural_collapse)


def _means(found: Pass) -> Tensor | None:
    if found.features is None:
        return None
    return class_means(found.features, found.targets, classes=found.logits.shape[1])


def _scatter(found: Pass) -> dict[str, Tensor]:
    if found.features is None:
        return {}
    return {"nc1": nc1(found.features, found.targets, classes=found.logits.shape[1])}


def _simplex(found: Pass, own: Tensor, decided_by: Tensor, weight: Tensor | None) -> dict[str, Tensor]:
    measured = {"nc2_norms": nc2_norms(own), "nc2_angles": nc2_angles(own)}
    if found.features is not None:
        measured["nc4"] = nc4(found.features, found.logits, decided_by)
    return measured if weight is None else measured | {"nc3": nc3(own, weight)}
