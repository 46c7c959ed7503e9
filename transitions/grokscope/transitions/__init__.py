"""The engine: frames in, dated transitions out. Pure: numpy, scipy, polars and the schemas."""

from grokscope.transitions.leads.lead_lag import lead_lag as lead_lag
from grokscope.transitions.leads.lead_lag import pooled_leads as pooled_leads
from grokscope.transitions.leads.segmentation import Boundary as Boundary
from grokscope.transitions.leads.segmentation import LinearSegment as LinearSegment
from grokscope.transitions.leads.segmentation import NotOneRunError as NotOneRunError
from grokscope.transitions.leads.segmentation import Segmentation as Segmentation
from grokscope.transitions.leads.segmentation import segment as segment
from grokscope.transitions.live.detector import LiveDetector as LiveDetector
from grokscope.transitions.live.detector import State as State
from grokscope.transitions.live.e_process import EProcess as EProcess
from grokscope.transitions.live.e_process import e_bh as e_bh
from grokscope.transitions.verdict.definitions import DEFINITIONS as DEFINITIONS
from grokscope.transitions.verdict.definitions import NATIVE as NATIVE
from grokscope.transitions.verdict.definitions import Definition as Definition
from grokscope.transitions.verdict.definitions import UnknownDefinitionError as UnknownDefinitionError
from grokscope.transitions.verdict.definitions import definition_of as definition_of
from grokscope.transitions.verdict.detection import detect as detect
from grokscope.transitions.verdict.sensitivity import sensitivity as sensitivity
