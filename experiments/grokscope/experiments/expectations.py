"""What runs of several experiments are expected to do."""

from grokscope.experiments.experiment import Expectation
from grokscope.schemas import Pattern

GROKS = Expectation(says="memorizes first, generalizes later", patterns=frozenset({Pattern.GROKKING}))
MEMORIZES = Expectation(says="memorizes only", patterns=frozenset({Pattern.MEMORIZATION}))
GENERALIZES = Expectation(
    says="generalizes, with the fit or after it",
    patterns=frozenset({Pattern.COMPREHENSION, Pattern.GROKKING}),
)
