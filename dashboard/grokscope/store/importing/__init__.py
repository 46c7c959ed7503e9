"""Other tools' logs into MLflow: recognised, parsed in a restricted process, written without repeats."""

from grokscope.store.importing.kinds import Source as Source
from grokscope.store.importing.kinds import SourceKind as SourceKind
from grokscope.store.importing.kinds import recognise as recognise
from grokscope.store.importing.limits import Limits as Limits
from grokscope.store.importing.parsing import Parsed as Parsed
from grokscope.store.importing.parsing import parse_source as parse_source
from grokscope.store.importing.planning import PlannedRun as PlannedRun
from grokscope.store.importing.planning import plan_import as plan_import
from grokscope.store.importing.planning import totals as totals
from grokscope.store.importing.records import ImportingError as ImportingError
from grokscope.store.importing.text_log import compiled as compiled
from grokscope.store.importing.writing import write_plan as write_plan
