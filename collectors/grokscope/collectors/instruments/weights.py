"""Where the parameters stand: how far they have turned, and margins in units of their layers' norms."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.outputs.margins import layer_margin
from grokscope.collectors.measures.weights.norms import angle_from_init, distance_from_init
from grokscope.schemas import Tier


def movement() -> Instrument:
    """Return the instrument of ``weights/distance_from_init`` and ``angle_from_init``.

    A tracker reads both by itself; this one is for states that are measured later (``backfill``).

    Source: arXiv:2605.18845. Cost: six fused passes over the parameters, free.

    >>> import torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = model.weight.data.fill_(1.0)
    >>> movement()(Reading(step=0, model=model, init={"weight": torch.tensor([[-1.0]])}))
    {'weights/distance_from_init': tensor(2.), 'weights/angle_from_init': tensor(3.1416)}
    """

    @instrument(tier=Tier.FREE)
    def movement(reading: Reading) -> Mapping[str, Tensor]:
        parameters = dict(reading.model.named_parameters())
        if not parameters or parameters.keys() != reading.init.keys():
            return {}
        now, then = [*parameters.values()], [reading.init[name] for name in parameters]
        return {
            "weights/distance_from_init": distance_from_init(now, then),
            "weights/angle_from_init": angle_from_init(now, then),
        }

    return movement


def layer_margins() -> Instrument:
    """Return the instrument of ``<split>/layer_margin``: the margin over the product of the layers' norms.

    Source: Bartlett et al. 2017, arXiv:1706.08498. Cost: two passes over the logits, free.

    >>> import torch
    >>> list(layer_margins()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    @instrument(tier=Tier.FREE)
    def layer_margins(reading: Reading) -> Mapping[str, Tensor]:
        matrices = [p for p in reading.model.parameters() if p.ndim > 1]
        return {
            f"{split}/layer_margin": layer_margin(found.logits, found.targets, matrices)
            for split, found in reading.passes.items()
        }

    return layer_margins
