"""Measures of a model in training: a topic's file holds functions, the records of the keys, and instruments.

A constructor gives one instrument for ``Tracker(model, optimizer, measures=[...])``. Those of tier 0 are used
at every evaluation, the others within the tracker's budget.

To add a measure: write its function, its ``Measure`` and the constructor that ``gives`` it into the topic's
file, and its test beside the topic's; name a new constructor below; ``make measures`` does the rest.
"""

from importlib.util import find_spec

from grokscope.schemas.extras import Extra, missing

if find_spec("torch") is None:
    raise ImportError(missing("measuring a model", "torch", Extra.TORCH))

from grokscope.collectors.measures.array_instrument import ArrayConstructor as ArrayConstructor
from grokscope.collectors.measures.array_instrument import ArrayInstrument as ArrayInstrument
from grokscope.collectors.measures.attention.heads import attention_heads as attention_heads
from grokscope.collectors.measures.attention.heads import repeated_tokens as repeated_tokens
from grokscope.collectors.measures.attention.routing import expert_routing as expert_routing
from grokscope.collectors.measures.complexity.circuits import cut_weights as cut_weights
from grokscope.collectors.measures.complexity.compression import compression as compression
from grokscope.collectors.measures.complexity.dropout import dropout as dropout
from grokscope.collectors.measures.complexity.regions import regions as regions
from grokscope.collectors.measures.complexity.synergy import synergy as synergy
from grokscope.collectors.measures.curvature.commutator import commutator as commutator
from grokscope.collectors.measures.curvature.hessian import hessian_spread as hessian_spread
from grokscope.collectors.measures.curvature.hessian import last_layer_flatness as last_layer_flatness
from grokscope.collectors.measures.curvature.learning_coefficient import (
    learning_coefficient as learning_coefficient,
)
from grokscope.collectors.measures.curvature.sharpness import sharpness as sharpness
from grokscope.collectors.measures.curvature.tangent_kernel import tangent_alignment as tangent_alignment
from grokscope.collectors.measures.instrument import Array as Array
from grokscope.collectors.measures.instrument import Constructor as Constructor
from grokscope.collectors.measures.instrument import Instrument as Instrument
from grokscope.collectors.measures.instrument import MeasureFn as MeasureFn
from grokscope.collectors.measures.instrument import StepContext as StepContext
from grokscope.collectors.measures.instrument import Use as Use
from grokscope.collectors.measures.instrument import instrument as instrument
from grokscope.collectors.measures.outputs.early import EarlyLoss as EarlyLoss
from grokscope.collectors.measures.outputs.early import early_loss as early_loss
from grokscope.collectors.measures.outputs.groups import macro as macro
from grokscope.collectors.measures.outputs.groups import slices as slices
from grokscope.collectors.measures.outputs.in_context import in_context as in_context
from grokscope.collectors.measures.outputs.margin_histogram import margin_histogram as margin_histogram
from grokscope.collectors.measures.outputs.margins import layer_margins as layer_margins
from grokscope.collectors.measures.outputs.reliability import reliability as reliability
from grokscope.collectors.measures.representation.collapse import neural_collapse as neural_collapse
from grokscope.collectors.measures.representation.dimension import intrinsic_dimension as intrinsic_dimension
from grokscope.collectors.measures.representation.eigenvalues import hidden_spectrum as hidden_spectrum
from grokscope.collectors.measures.representation.embedding import embedding_fourier as embedding_fourier
from grokscope.collectors.measures.representation.embedding import embedding_pca as embedding_pca
from grokscope.collectors.measures.representation.probe import linear_probe as linear_probe
from grokscope.collectors.measures.representation.similarity import alignment as alignment
from grokscope.collectors.measures.representation.spectrum import (
    representation_spectrum as representation_spectrum,
)
from grokscope.collectors.measures.representation.units import active_units as active_units
from grokscope.collectors.measures.subset import Subset as Subset
from grokscope.collectors.measures.tasks.modular_addition import modular_addition as modular_addition
from grokscope.collectors.measures.tasks.parity import sparse_parity as sparse_parity
from grokscope.collectors.measures.updates.noise_scale import gradient_noise as gradient_noise
from grokscope.collectors.measures.updates.second_moments import second_moments as second_moments
from grokscope.collectors.measures.updates.trajectory import update_window as update_window
from grokscope.collectors.measures.weights.heavy_tails import heavy_tails as heavy_tails
from grokscope.collectors.measures.weights.layers import layer_arrays as layer_arrays
from grokscope.collectors.measures.weights.movement import movement as movement
from grokscope.collectors.measures.weights.spectra import weight_spectra as weight_spectra
from grokscope.schemas import Tier

INSTRUMENTS: tuple[Constructor[...], ...] = (
    layer_margins,
    macro,
    reliability,
    EarlyLoss,
    slices,
    in_context,
    movement,
    weight_spectra,
    second_moments,
    gradient_noise,
    update_window,
    neural_collapse,
    representation_spectrum,
    intrinsic_dimension,
    linear_probe,
    alignment,
    active_units,
    attention_heads,
    expert_routing,
    sharpness,
    hessian_spread,
    last_layer_flatness,
    commutator,
    learning_coefficient,
    tangent_alignment,
    heavy_tails,
    compression,
    cut_weights,
    synergy,
    regions,
    dropout,
    modular_addition,
    sparse_parity,
)
"""Every constructor of an instrument of scalars."""

ARRAY_INSTRUMENTS: tuple[ArrayConstructor[...], ...] = (
    layer_arrays,
    margin_histogram,
    hidden_spectrum,
    embedding_pca,
    embedding_fourier,
)
"""Every constructor of an instrument of arrays."""


def default() -> tuple[Instrument, ...]:
    """Return what a tracker measures by itself besides curves, norms, movement, updates and arrays.

    >>> [(one.name, one.tier.value) for one in default()]
    [('weight_spectra', '1'), ('second_moments', '0'), ('neural_collapse', '1')]
    """
    return tuple(make() for make in INSTRUMENTS if make.use is Use.DEFAULT)


def default_arrays() -> tuple[ArrayInstrument, ...]:
    """Return the instruments of arrays that a tracker reads by itself.

    >>> [one.name for one in default_arrays()]
    ['layer_arrays', 'margin_histogram']
    """
    return tuple(make() for make in ARRAY_INSTRUMENTS if make.use is Use.DEFAULT)


def arrays() -> tuple[ArrayInstrument, ...]:
    """Return every instrument of arrays: each is read at most eight times in a factor of ten of the steps.

    >>> [one.name for one in arrays()]
    ['layer_arrays', 'margin_histogram', 'hidden_spectrum', 'embedding_pca', 'embedding_fourier']
    """
    return tuple(make() for make in ARRAY_INSTRUMENTS)


def cheap() -> tuple[Instrument, ...]:
    """Return every instrument of tiers 0 and 1 that need not be told anything about model or task.

    Left out are those that do: ``attention_heads``, ``expert_routing``, ``slices``, ``early_loss`` and those
    of a task.

    >>> len(cheap())
    15
    """
    return tuple(one for one in everything() if one.tier is not Tier.COSTLY)


def everything() -> tuple[Instrument, ...]:
    """Return every instrument that need not be told anything about model or task, the costly ones too.

    >>> sorted({one.tier.value for one in everything()})
    ['0', '1', '2']
    """
    return tuple(make() for make in INSTRUMENTS if make.use is not Use.NAMED)
