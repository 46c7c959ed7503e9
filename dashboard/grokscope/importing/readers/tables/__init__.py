"""Tables as logs: which column counts steps, what the others are, numbers as people write them."""

from grokscope.importing.readers.tables.reading import FORMAT as FORMAT
from grokscope.importing.readers.tables.reading import read as read
