"""The engine: frames in, dated transitions out. Pure: numpy, scipy, polars and the schemas."""

from grokscope.transitions.definitions import DEFINITIONS as DEFINITIONS
from grokscope.transitions.definitions import NATIVE as NATIVE
from grokscope.transitions.definitions import Definition as Definition
from grokscope.transitions.definitions import UnknownDefinitionError as UnknownDefinitionError
from grokscope.transitions.definitions import definition_of as definition_of
from grokscope.transitions.e_process import EProcess as EProcess
from grokscope.transitions.e_process import e_bh as e_bh
from grokscope.transitions.lead_lag import lead_lag as lead_lag
from grokscope.transitions.lead_lag import pooled_leads as pooled_leads
from grokscope.transitions.online import LiveDetector as LiveDetector
from grokscope.transitions.online import State as State
from grokscope.transitions.segmentation import Boundary as Boundary
from grokscope.transitions.segmentation import NotOneRunError as NotOneRunError
from grokscope.transitions.segmentation import Segment as Segment
from grokscope.transitions.segmentation import Segmentation as Segmentation
from grokscope.transitions.segmentation import segment as segment
from grokscope.transitions.sensitivity import sensitivity as sensitivity
from grokscope.transitions.verdict import detect as detect
