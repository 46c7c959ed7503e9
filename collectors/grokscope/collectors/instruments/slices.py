"""What one accuracy hides: classes and slices of the data, each by itself, and how sure the model is."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.location import where
from grokscope.collectors.measures.outputs.groups import group_accuracies, group_losses, macro_accuracy
from grokscope.collectors.measures.outputs.reliability import brier_score, calibration_error, risk_coverage
from grokscope.schemas import Tier


def macro() -> Instrument:
    """Return the instrument of ``<split>/macro_accuracy``.

    Source: Brodersen et al. 2010. Cost: one pass over the logits, free.

    >>> list(macro()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    @instrument(tier=Tier.FREE)
    def macro(reading: Reading) -> Mapping[str, Tensor]:
        return {f"{s}/macro_accuracy": macro_accuracy(p.logits, p.targets) for s, p in reading.passes.items()}

    return macro


def reliability() -> Instrument:
    """Return the instrument of ``<split>/brier``, ``calibration_error`` and ``risk_coverage``.

    Meant for splits under shift (``shift:<name>``), where a model may be as sure as ever and wrong.

    Source: Guo et al. 2017, arXiv:1706.04599. Cost: three passes over the logits, free.

    >>> list(reliability()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    @instrument(tier=Tier.FREE)
    def reliability(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in reading.passes.items():
            values |= {
                f"{split}/brier": brier_score(seen.logits, seen.targets),
                f"{split}/calibration_error": calibration_error(seen.logits, seen.targets),
                f"{split}/risk_coverage": risk_coverage(seen.logits, seen.targets),
            }
        return values

    return reliability


def slices(groups: Mapping[str, Tensor], *, names: Sequence[str] | None = None) -> Instrument:
    """Return the instrument of ``groups/accuracy`` and ``groups/loss``, each ``/<split>/<group>``.

    The worst group's accuracy comes as ``groups/worst_accuracy/<split>``.

    Args:
        groups: Split name -> the group of each target, ``[N]`` or ``[N, T]`` indices from 0 in the order of
            the data.
        names: Of the groups; their numbers by default.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: two passes over the logits, free.

    >>> from grokscope.collectors.evaluating.forward_pass import Pass
    >>> found = Pass(logits=torch.eye(2), targets=torch.tensor([0, 0]), features=None)
    >>> reading = Reading(step=0, model=torch.nn.ReLU(), passes={"test": found})
    >>> slices({"test": torch.tensor([0, 1])}, names=["even", "odd"])(reading)["groups/accuracy/test/odd"]
    tensor(0.)
    """
    most = 1 + max(int(ids.max()) for ids in groups.values())
    called = [where(name) for name in names or map(str, range(most))]
    if len(called) < most:
        raise ValueError(f"names must name all {most} groups, got {len(called)}; name each, or none")

    @instrument(tier=Tier.FREE)
    def slices(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split in groups.keys() & reading.passes.keys():
            found, ids = reading.passes[split], groups[split].flatten()
            losses = group_losses(found.logits, found.targets, ids, count=len(called))
            right = group_accuracies(found.logits, found.targets, ids, count=len(called))
            values |= dict(zip([f"groups/loss/{split}/{name}" for name in called], losses, strict=True))
            values |= dict(zip([f"groups/accuracy/{split}/{name}" for name in called], right, strict=True))
            values[f"groups/worst_accuracy/{split}"] = right.nan_to_num(torch.inf).amin()
        return values

    return slices
