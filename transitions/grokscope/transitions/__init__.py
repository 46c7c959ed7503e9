"""The engine: frames in, dated transitions out. Pure: numpy, scipy, polars and the schemas."""

from grokscope.transitions.definitions import DEFINITIONS as DEFINITIONS
from grokscope.transitions.definitions import Definition as Definition
from grokscope.transitions.definitions import UnknownDefinitionError as UnknownDefinitionError
from grokscope.transitions.sensitivity import sensitivity as sensitivity
from grokscope.transitions.verdict import detect as detect
