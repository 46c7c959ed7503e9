"""Instruments: measures as a tracker holds them, with keys, a tier and what they keep between steps.

Each constructor gives one instrument for ``Tracker(model, optimizer, measures=[...])``. Those of tier 0 are
read at every evaluation, the others within the tracker's budget.
"""

from grokscope.collectors.instruments.attention import attention_heads as attention_heads
from grokscope.collectors.instruments.attention import expert_routing as expert_routing
from grokscope.collectors.instruments.attention import in_context as in_context
from grokscope.collectors.instruments.attention import repeated_tokens as repeated_tokens
from grokscope.collectors.instruments.collapse import neural_collapse as neural_collapse
from grokscope.collectors.instruments.complexity import compression as compression
from grokscope.collectors.instruments.complexity import cut_weights as cut_weights
from grokscope.collectors.instruments.complexity import dropout as dropout
from grokscope.collectors.instruments.complexity import heavy_tails as heavy_tails
from grokscope.collectors.instruments.complexity import regions as regions
from grokscope.collectors.instruments.complexity import synergy as synergy
from grokscope.collectors.instruments.curvature import commutator as commutator
from grokscope.collectors.instruments.curvature import hessian_spread as hessian_spread
from grokscope.collectors.instruments.curvature import last_layer_flatness as last_layer_flatness
from grokscope.collectors.instruments.curvature import sharpness as sharpness
from grokscope.collectors.instruments.curvature import tangent_alignment as tangent_alignment
from grokscope.collectors.instruments.early import early_loss as early_loss
from grokscope.collectors.instruments.optimizer import gradient_noise as gradient_noise
from grokscope.collectors.instruments.optimizer import second_moments as second_moments
from grokscope.collectors.instruments.optimizer import update_window as update_window
from grokscope.collectors.instruments.representation import alignment as alignment
from grokscope.collectors.instruments.representation import intrinsic_dimension as intrinsic_dimension
from grokscope.collectors.instruments.representation import linear_probe as linear_probe
from grokscope.collectors.instruments.representation import representation_spectrum as representation_spectrum
from grokscope.collectors.instruments.sampling import learning_coefficient as learning_coefficient
from grokscope.collectors.instruments.slices import macro as macro
from grokscope.collectors.instruments.slices import reliability as reliability
from grokscope.collectors.instruments.slices import slices as slices
from grokscope.collectors.instruments.spectra import weight_spectra as weight_spectra
from grokscope.collectors.instruments.task_parity import sparse_parity as sparse_parity
from grokscope.collectors.instruments.units import active_units as active_units
from grokscope.collectors.instruments.weights import layer_margins as layer_margins
from grokscope.collectors.instruments.weights import movement as movement
from grokscope.collectors.measures.instrument import Instrument as Instrument
from grokscope.collectors.measures.instrument import Reading as Reading
from grokscope.collectors.measures.instrument import instrument as instrument
from grokscope.collectors.measures.subset import Subset as Subset
from grokscope.collectors.measures.tasks.modular_addition import modular_addition as modular_addition


def default() -> tuple[Instrument, ...]:
    """Return what a tracker reads by itself besides curves, norms, movement and updates.

    >>> [(one.name, one.tier.value) for one in default()]
    [('second_moments', '0'), ('weight_spectra', '1'), ('neural_collapse', '1')]
    """
    return (second_moments(), weight_spectra(), neural_collapse())


def cheap() -> tuple[Instrument, ...]:
    """Return every instrument of tiers 0 and 1 that need not be told anything about model or task.

    Left out are those that do: ``attention_heads``, ``expert_routing``, ``slices`` and ``early_loss``.

    >>> len(cheap())
    15
    """
    more = (movement(), macro(), reliability(), layer_margins(), in_context(), representation_spectrum())
    and_more = (intrinsic_dimension(), linear_probe(), alignment(), active_units(), gradient_noise())
    return (*default(), *more, *and_more, update_window())


def everything() -> tuple[Instrument, ...]:
    """Return every instrument that need not be told anything about model or task, the costly ones too.

    >>> sorted({one.tier.value for one in everything()})
    ['0', '1', '2']
    """
    surface = (sharpness(), hessian_spread(), last_layer_flatness(), commutator(), tangent_alignment())
    complexity = (heavy_tails(), compression(), cut_weights(), synergy(), regions(), learning_coefficient())
    return (*cheap(), *surface, *complexity)
