"""The worker's process; see ``worker``."""

import json
import sys

from grokscope.importing.worker import parse

parse(json.load(sys.stdin))
