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
# Streamlit links addresses that it finds in text after the escapes are gone; an invisible mark breaks them.
_ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|@", re.IGNORECASE)
JOINER = "\u2060"
"""Stands in addresses that ``escape`` has broken; ``plain`` never returns it."""

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
    r"""Return ``text`` so that Streamlit's markdown shows it letter for letter, with no address made a link.

    >>> escape("![x](http://a.b)")
    '\\!\\[x\\]\\(http\\:\u2060\\/\\/a\\.b\\)'
    """
    broken = _ADDRESS.sub(rf"\g<0>{JOINER}", plain(text, limit=limit))
    return _SPECIAL.sub(r"\\\1", broken)
