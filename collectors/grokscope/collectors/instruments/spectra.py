"""Spectra of the weight matrices."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.evaluating.weights import matrix_spectra
from grokscope.collectors.reading import Instrument, Reading, instrument


def weight_spectra() -> Instrument:
    """Return the instrument of ``weights/<quantity>/<matrix>``: spectral norm, ranks and their like.

    Cost: one decomposition a matrix.

    >>> from torch import nn
    >>> list(weight_spectra()(Reading(step=0, model=nn.Linear(2, 3))))[0]
    'weights/spectral_norm/weight'
    """

    def weight_spectra(reading: Reading) -> Mapping[str, Tensor]:
        return matrix_spectra(dict(reading.model.named_parameters()))

    return instrument(weight_spectra)
