"""Instruments: measures as a tracker holds them, with keys, a tier and what they keep between steps."""

from grokscope.collectors.instruments.collapse import neural_collapse as neural_collapse
from grokscope.collectors.instruments.spectra import weight_spectra as weight_spectra
from grokscope.collectors.reading import Instrument as Instrument
from grokscope.collectors.reading import Reading as Reading
from grokscope.collectors.reading import instrument as instrument


def default() -> tuple[Instrument, ...]:
    """Return what a tracker reads by itself besides tier 0.

    >>> [one.name for one in default()]
    ['weight_spectra', 'neural_collapse']
    """
    return (weight_spectra(), neural_collapse())
