"""The elements' scripts, made known to the server that runs."""

from collections.abc import Mapping
from pathlib import Path

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.runtime import Runtime

LINKED_CHARTS = "grokscope.linked_charts"
DATED_CHART = "grokscope.dated_chart"
COMPLETION = "grokscope.completion"
RAIL_GROUPS = "grokscope.rail_groups"
_FOLDERS: Mapping[str, str] = {
    LINKED_CHARTS: "linked_charts/assets",
    DATED_CHART: "linked_charts/assets",
    COMPLETION: "rail/assets",
    RAIL_GROUPS: "rail/assets",
}
"""Where the scripts of an element lie, beside this file."""


def is_registered() -> bool:
    """Tell the running server where the scripts are; return whether it serves them.

    Streamlit finds the folders of installed packages by their ``pyproject.toml``, which a part of a namespace
    has none of; what it does with one it found is done here.
    """
    if not Runtime.exists():
        return False
    try:
        manager: BidiComponentManager = get_bidi_component_manager()
        if manager.get_component_asset_root(LINKED_CHARTS) is None:
            room = LINKED_CHARTS.partition(".")[0]
            configs = [
                ComponentConfig(name=name.partition(".")[2], asset_dir=folder)
                for name, folder in _FOLDERS.items()
            ]
            manager.register_from_manifest(ComponentManifest(room, "", configs), Path(__file__).parent)
    except (AttributeError, TypeError):  # another Streamlit: these are not promised
        return False
    return True
