"""The one door through which text from outside reaches a page.

Run names, params, metric names and error messages were written by other people and programs. Streamlit
renders markdown in labels, captions, badges and alerts: links, remote
images, colour and icon directives, LaTeX.
"""

import re
import unicodedata

CLIP = 200
"""Longest text shown; the rest is cut with an ellipsis."""

# Markdown's own punctuation, ':' (directives, emoji), '$' (LaTeX), '<' '&' (HTML), '~' '=' (strikes).
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|:$&~^=@/\"'])")
_CONTROL = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def plain(text: str, *, limit: int = CLIP) -> str:
    r"""Return ``text`` on one line, without control or direction marks, at most ``limit`` characters long.

    Use it where text is shown as it is: cells of tables, values in charts, options of pickers.

    >>> plain("a\u202eb\nc")
    'ab c'
    """
    # Cutting first bounds the work on a text of megabytes; what is stripped only makes it shorter.
    head = text[: limit * 4]
    kept = "".join(
        " " if c in "\n\r\t" else c for c in head if c in "\n\r\t" or unicodedata.category(c) not in _CONTROL
    )
    line = " ".join(kept.split())
    return line if len(line) <= limit and len(head) == len(text) else line[: limit - 1] + "…"


def escape(text: str, *, limit: int = CLIP) -> str:
    r"""Return ``text`` so that Streamlit's markdown shows it letter for letter.

    >>> escape("![x](http://a.b)")
    '\\!\\[x\\]\\(http\\:\\/\\/a\\.b\\)'
    """
    return _SPECIAL.sub(r"\\\1", plain(text, limit=limit))
