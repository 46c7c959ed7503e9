"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.algorithmic.modular_arithmetic_transformer import MODULAR_ARITHMETIC_TRANSFORMER
from grokscope.experiments.algorithmic.permutations import PERMUTATIONS
from grokscope.experiments.algorithmic.sparse_parity import SPARSE_PARITY
from grokscope.experiments.experiment import Experiment

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        one.name: one
        for one in (MODULAR_ARITHMETIC, MODULAR_ARITHMETIC_TRANSFORMER, PERMUTATIONS, SPARSE_PARITY)
    }
)
"""Name -> experiment, in the order in which they are listed."""
