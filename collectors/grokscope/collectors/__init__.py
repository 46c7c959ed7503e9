"""In the training process: measure, schedule, spool, ship. Importing this needs no torch."""

import sys

if sys.platform == "win32":
    raise ImportError(
        "Windows is not supported: it lacks the file locks that grokscope's collectors rest on; train under "
        "WSL (https://learn.microsoft.com/windows/wsl), Linux or macOS"
    )

from grokscope.collectors.evaluating.measuring import Measuring as Measuring
from grokscope.collectors.evaluating.schedule import any_of as any_of
from grokscope.collectors.evaluating.schedule import at_steps as at_steps
from grokscope.collectors.evaluating.schedule import every as every
from grokscope.collectors.evaluating.schedule import log_spaced as log_spaced
from grokscope.collectors.recording.run_ids import TrackerError as TrackerError
from grokscope.collectors.tracker import Tracker as Tracker
