"""The parser's process; see ``parser``."""

import json
import sys

from grokscope.store.importing.parser import parse

parse(json.load(sys.stdin))
