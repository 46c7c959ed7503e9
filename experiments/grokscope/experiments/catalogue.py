"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.algorithmic.modular_arithmetic_transformer import MODULAR_ARITHMETIC_TRANSFORMER
from grokscope.experiments.algorithmic.permutations import PERMUTATIONS
from grokscope.experiments.algorithmic.sparse_parity import SPARSE_PARITY
from grokscope.experiments.experiment import Experiment
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

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        one.name: one
        for one in (
            MODULAR_ARITHMETIC,
            MODULAR_ARITHMETIC_TRANSFORMER,
            PERMUTATIONS,
            SPARSE_PARITY,
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
    }
)
"""Name -> experiment, in the order in which they are listed."""
