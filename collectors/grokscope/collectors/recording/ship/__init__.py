"""From the spool into MLflow, in a process of its own."""

from grokscope.collectors.recording.ship.backlog import Backlog as Backlog
from grokscope.collectors.recording.ship.backlog import backlogs as backlogs
from grokscope.collectors.recording.ship.backlog import retry_stuck as retry_stuck
from grokscope.collectors.recording.ship.credentials import full_uri as full_uri
from grokscope.collectors.recording.ship.delivery.dead_letters import dead_letters as dead_letters
from grokscope.collectors.recording.ship.launch import ensure_shipper as ensure_shipper
from grokscope.collectors.recording.ship.lock import is_held as is_held
from grokscope.collectors.recording.ship.mlflow.store_version import UpgradeError as UpgradeError
from grokscope.collectors.recording.ship.mlflow.store_version import upgrade_store as upgrade_store
from grokscope.collectors.recording.ship.service import has_failed as has_failed
from grokscope.collectors.recording.ship.service import other_version as other_version
from grokscope.collectors.recording.ship.service import trouble as trouble
