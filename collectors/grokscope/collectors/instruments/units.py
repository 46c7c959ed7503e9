"""Silent units: of the representation, or of any layer whose output is asked for."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.location import where
from grokscope.collectors.measures.probing import outputs_of
from grokscope.collectors.measures.representation.units import dead_share, sparsity, unit_gini


def active_units(
    *, layers: Sequence[str] = (), threshold: float = 0.0, split: str = "train", samples: int = 512
) -> Instrument:
    """Return the instrument of ``representation/dead_units``, ``sparsity`` and ``unit_gini``.

    Of the representation under the split's name, from the pass already made; of each of ``layers`` under the
    layer's name, from one pass over the first samples.

    Args:
        layers: Dotted names of modules whose output is read, such as activations.
        threshold: Magnitude that still counts as silent; above 0 for smooth activations such as GELU.
        split: Read for ``layers``.
        samples: Likewise, at most.

    Source: each measure's own. Cost: three passes over the activations; with ``layers`` a forward pass.

    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> reading = Reading(step=0, model=model, splits={"train": (torch.zeros(4, 2), torch.zeros(4).long())})
    >>> list(active_units(layers=["1"])(reading))
    ['representation/dead_units/1', 'representation/sparsity/1', 'representation/unit_gini/1']
    """

    def active_units(reading: Reading) -> Mapping[str, Tensor]:
        found = {name: p.features for name, p in reading.passes.items() if p.features is not None}
        found |= {
            where(layer): output
            for layer, output in outputs_of(reading, layers, split=split, samples=samples).items()
        }
        return {
            f"representation/{quantity}/{place}": value
            for place, activations in found.items()
            for quantity, value in (
                ("dead_units", dead_share(activations, threshold=threshold)),
                ("sparsity", sparsity(activations, threshold=threshold)),
                ("unit_gini", unit_gini(activations)),
            )
        }

    return instrument(active_units)
