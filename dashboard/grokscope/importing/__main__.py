"""The worker's process; see ``worker``."""

import json
import sys

from grokscope.importing.worker import parse

sys.exit(parse(json.load(sys.stdin)))
