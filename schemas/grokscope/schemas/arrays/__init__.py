"""Small arrays of a run: what one is, how large it may be, the file that keeps some, their frames."""

from grokscope.schemas.arrays.array_measure import ArrayMeasure as ArrayMeasure
from grokscope.schemas.arrays.files import FOLDER as FOLDER
from grokscope.schemas.arrays.files import MOST_FILE_ARRAYS as MOST_FILE_ARRAYS
from grokscope.schemas.arrays.files import MOST_FILE_BYTES as MOST_FILE_BYTES
from grokscope.schemas.arrays.files import MOST_RUN_FILE_BYTES as MOST_RUN_FILE_BYTES
from grokscope.schemas.arrays.files import InvalidArraysError as InvalidArraysError
from grokscope.schemas.arrays.files import array_file as array_file
from grokscope.schemas.arrays.files import arrays_in as arrays_in
from grokscope.schemas.arrays.files import is_array_file as is_array_file
from grokscope.schemas.arrays.frames import ARRAY_SCHEMA as ARRAY_SCHEMA
from grokscope.schemas.arrays.frames import CELL_SCHEMA as CELL_SCHEMA
from grokscope.schemas.arrays.frames import cells as cells
from grokscope.schemas.arrays.frames import latest_arrays as latest_arrays
from grokscope.schemas.arrays.logged_array import MOST_AXES as MOST_AXES
from grokscope.schemas.arrays.logged_array import MOST_LABELS as MOST_LABELS
from grokscope.schemas.arrays.logged_array import MOST_RUN_BYTES as MOST_RUN_BYTES
from grokscope.schemas.arrays.logged_array import MOST_STEP_BYTES as MOST_STEP_BYTES
from grokscope.schemas.arrays.logged_array import MOST_VALUES as MOST_VALUES
from grokscope.schemas.arrays.logged_array import Axis as Axis
from grokscope.schemas.arrays.logged_array import LoggedArray as LoggedArray
from grokscope.schemas.arrays.table import ARRAYS as ARRAYS
from grokscope.schemas.arrays.table import find_array as find_array
