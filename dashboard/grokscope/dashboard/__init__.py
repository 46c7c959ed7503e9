"""The Streamlit app: live runs, comparisons, and what each run did.

Start it with ``streamlit run`` and the arguments that ``server_flags`` gives.
"""

from grokscope.dashboard.serving.settings import APP as APP
from grokscope.dashboard.serving.settings import STORE_VARIABLE as STORE_VARIABLE
from grokscope.dashboard.serving.settings import server_flags as server_flags
from grokscope.dashboard.words.escaping import escape as escape
from grokscope.dashboard.words.escaping import plain as plain
