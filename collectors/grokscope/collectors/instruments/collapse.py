"""Neural collapse of the representation, on each split."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measure.collapse import nc1
from grokscope.collectors.reading import Instrument, Reading, instrument


def neural_collapse() -> Instrument:
    """Return the instrument of ``representation/nc1/<split>``, where a pass found a representation.

    Cost: one pass over the features.
    """

    def neural_collapse(reading: Reading) -> Mapping[str, Tensor]:
        return {
            f"representation/nc1/{split}": nc1(found.features, found.targets, classes=found.logits.shape[1])
            for split, found in reading.passes.items()
            if found.features is not None
        }

    return instrument(neural_collapse)
