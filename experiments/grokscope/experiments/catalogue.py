"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.double_descent import DOUBLE_DESCENT
from grokscope.experiments.algorithmic.label_noise import LABEL_NOISE
from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.algorithmic.modular_arithmetic_transformer import MODULAR_ARITHMETIC_TRANSFORMER
from grokscope.experiments.algorithmic.multistage import MULTISTAGE
from grokscope.experiments.algorithmic.permutations import PERMUTATIONS
from grokscope.experiments.algorithmic.sparse_parity import SPARSE_PARITY
from grokscope.experiments.curricula.sparse_first import SPARSE_FIRST
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.images.large_init import LARGE_INIT
from grokscope.experiments.instabilities.divergence import DIVERGENCE
from grokscope.experiments.instabilities.slingshot import SLINGSHOT
from grokscope.experiments.instabilities.softmax_collapse import SOFTMAX_COLLAPSE
from grokscope.experiments.instabilities.ungrokking import UNGROKKING
from grokscope.experiments.interventions.data_fraction import DATA_FRACTION
from grokscope.experiments.interventions.grokfast import GROKFAST
from grokscope.experiments.interventions.muon import MUON
from grokscope.experiments.interventions.norm_clamp import NORM_CLAMP
from grokscope.experiments.interventions.stable_gradients import STABLE_GRADIENTS
from grokscope.experiments.interventions.weight_decay import WEIGHT_DECAY
from grokscope.experiments.knowledge.biographies import BIOGRAPHIES
from grokscope.experiments.knowledge.two_hop_reasoning import TWO_HOP_REASONING
from grokscope.experiments.sequences.character_lm import CHARACTER_LM
from grokscope.experiments.sequences.in_context_regression import IN_CONTEXT_REGRESSION
from grokscope.experiments.sequences.induction_heads import INDUCTION_HEADS
from grokscope.experiments.sequences.markov_chains import MARKOV_CHAINS

_ALL = (
    MODULAR_ARITHMETIC,
    MODULAR_ARITHMETIC_TRANSFORMER,
    PERMUTATIONS,
    SPARSE_PARITY,
    LARGE_INIT,
    LABEL_NOISE,
    DOUBLE_DESCENT,
    MULTISTAGE,
    INDUCTION_HEADS,
    IN_CONTEXT_REGRESSION,
    MARKOV_CHAINS,
    CHARACTER_LM,
    BIOGRAPHIES,
    TWO_HOP_REASONING,
    SPARSE_FIRST,
    WEIGHT_DECAY,
    DATA_FRACTION,
    NORM_CLAMP,
    STABLE_GRADIENTS,
    GROKFAST,
    MUON,
    SLINGSHOT,
    SOFTMAX_COLLAPSE,
    DIVERGENCE,
    UNGROKKING,
)

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType({one.name: one for one in _ALL})
"""Name -> experiment, in the order in which they are listed."""
