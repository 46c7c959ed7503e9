"""Canonical bridge experiments that really train, small enough for a laptop's CPU."""

from grokscope.experiments.sweep import ARMS as ARMS
from grokscope.experiments.sweep import Arm as Arm
from grokscope.experiments.sweep import Job as Job
from grokscope.experiments.sweep import Progress as Progress
from grokscope.experiments.sweep import demo_jobs as demo_jobs
from grokscope.experiments.sweep import run_jobs as run_jobs
