"""Canonical bridge experiments that really train, small enough for a laptop's CPU."""

# What needs torch is imported from its module, such as ``grokscope.experiments.catalogue``.
from grokscope.experiments.sweeps.cells.arms import cells_of_arms as cells_of_arms
from grokscope.experiments.sweeps.cells.cell import Cell as Cell
from grokscope.experiments.sweeps.cells.further import Suggester as Suggester
from grokscope.experiments.sweeps.cells.further import Suggestion as Suggestion
from grokscope.experiments.sweeps.cells.further import further_runs as further_runs
from grokscope.experiments.sweeps.checks import ConfigError as ConfigError
from grokscope.experiments.sweeps.config import SweepConfig as SweepConfig
from grokscope.experiments.sweeps.config import read_config as read_config
from grokscope.experiments.sweeps.engine import Engine as Engine
from grokscope.experiments.sweeps.engine import Job as Job
from grokscope.experiments.sweeps.engine import Outcome as Outcome
from grokscope.experiments.sweeps.engine import Progress as Progress
from grokscope.experiments.sweeps.ledger import Ledger as Ledger
from grokscope.experiments.sweeps.local import LocalEngine as LocalEngine
from grokscope.experiments.sweeps.sweep import run_sweep as run_sweep
from grokscope.experiments.training.run import StopRule as StopRule
