"""Which runs are meant: a small language of conditions, read in linear time and decided on frames.

The text comes from strangers: nothing of it is executed, and no regular expression is made of it.
"""

from grokscope.schemas.runs.query.completion import Completion as Completion
from grokscope.schemas.runs.query.completion import complete as complete
from grokscope.schemas.runs.query.errors import QueryError as QueryError
from grokscope.schemas.runs.query.facts import Facts as Facts
from grokscope.schemas.runs.query.facts import ends_of_curves as ends_of_curves
from grokscope.schemas.runs.query.names import Names as Names
from grokscope.schemas.runs.query.names import named_param as named_param
from grokscope.schemas.runs.query.query import Query as Query
from grokscope.schemas.runs.query.seen import names_of as names_of
