"""Vega, Vega-Lite and Vega-Embed as one file for the browser: ``python -m ...exporting.vega_bundle FILE``.

The file is committed, so that pages fetch nothing from elsewhere and installing needs no tool of JavaScript;
a test makes it anew and compares.
"""

import sys
from pathlib import Path

VEGA_LITE = "6.4"
"""The release whose charts Altair describes."""

_EXPORTED = "export { vegaEmbed };"


def bundle() -> str:
    """Return the libraries as a module that exports ``vegaEmbed``."""
    import vl_convert  # noqa: PLC0415 - only where the file is made

    return vl_convert.javascript_bundle(_EXPORTED, vl_version=VEGA_LITE)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(bundle(), encoding="utf-8")
