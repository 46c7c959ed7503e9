"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.curricula.sparse_first import SPARSE_FIRST
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.knowledge.biographies import BIOGRAPHIES
from grokscope.experiments.knowledge.two_hop_reasoning import TWO_HOP_REASONING

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        one.name: one
        for one in (
            MODULAR_ARITHMETIC,
            BIOGRAPHIES,
            TWO_HOP_REASONING,
            SPARSE_FIRST,
        )
    }
)
"""Name -> experiment, in the order in which they are listed."""
