"""In the training process: measure, schedule, spool, ship. Importing this needs no torch."""

from grokscope.collectors.measuring import Measuring as Measuring
from grokscope.collectors.run_ids import TrackerError as TrackerError
from grokscope.collectors.schedule import any_of as any_of
from grokscope.collectors.schedule import at_steps as at_steps
from grokscope.collectors.schedule import every as every
from grokscope.collectors.schedule import log_spaced as log_spaced
from grokscope.collectors.tracker import Tracker as Tracker
