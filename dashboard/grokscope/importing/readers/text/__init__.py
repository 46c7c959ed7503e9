"""Text logs: the lines of known programs, names and numbers of any other, and patterns of a person's own."""

from grokscope.importing.readers.text.patterns import compiled as compiled
from grokscope.importing.readers.text.reading import FORMAT as FORMAT
from grokscope.importing.readers.text.reading import read as read
