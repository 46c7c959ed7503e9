"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.sequences.character_lm import CHARACTER_LM
from grokscope.experiments.sequences.in_context_regression import IN_CONTEXT_REGRESSION
from grokscope.experiments.sequences.induction_heads import INDUCTION_HEADS
from grokscope.experiments.sequences.markov_chains import MARKOV_CHAINS

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        one.name: one
        for one in (MODULAR_ARITHMETIC, INDUCTION_HEADS, IN_CONTEXT_REGRESSION, MARKOV_CHAINS, CHARACTER_LM)
    }
)
"""Name -> experiment, in the order in which they are listed."""
