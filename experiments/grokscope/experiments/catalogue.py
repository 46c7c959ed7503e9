"""All experiments, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.experiments.algorithmic.double_descent import DOUBLE_DESCENT
from grokscope.experiments.algorithmic.label_noise import LABEL_NOISE
from grokscope.experiments.algorithmic.modular_arithmetic import MODULAR_ARITHMETIC
from grokscope.experiments.algorithmic.multistage import MULTISTAGE
from grokscope.experiments.experiment import Experiment
from grokscope.experiments.images.large_init import LARGE_INIT

_ALL = (
    MODULAR_ARITHMETIC,
    LARGE_INIT,
    LABEL_NOISE,
    DOUBLE_DESCENT,
    MULTISTAGE,
)

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType({one.name: one for one in _ALL})
"""Name -> experiment, in the order in which they are listed."""
