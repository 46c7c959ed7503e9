"""Other tools' logs into MLflow: recognised, parsed in a restricted process, written without repeats."""

from grokscope.importing.formats import SourceKind as SourceKind
from grokscope.importing.limits import Limits as Limits
from grokscope.importing.limits import limits_for as limits_for
from grokscope.importing.planning import PlannedRun as PlannedRun
from grokscope.importing.planning import plan_import as plan_import
from grokscope.importing.planning import totals as totals
from grokscope.importing.readers.text import compiled as compiled
from grokscope.importing.recognition import FoundSource as FoundSource
from grokscope.importing.recognition import find_source as find_source
from grokscope.importing.records import ImportingError as ImportingError
from grokscope.importing.records import Skipped as Skipped
from grokscope.importing.sandbox import Parsed as Parsed
from grokscope.importing.sandbox import parse_source as parse_source
from grokscope.importing.writing import write_plan as write_plan
