"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.instabilities.ungrokking import UNGROKKING

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType({one.name: one for one in (MODULAR_ARITHMETIC, UNGROKKING)})
"""Name -> experiment, in the order in which they are listed."""
