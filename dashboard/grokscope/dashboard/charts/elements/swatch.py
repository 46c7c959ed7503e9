"""A group's line as a small picture, for tables."""

from urllib.parse import quote

from grokscope.dashboard.charts.elements.palette import SOLID, Colouring, Dash

_KEPT = " =:/'"
"""What an address of a picture may hold as it is: thousands of rows have one each."""


def swatch(colour: str, dash: Dash) -> str:
    """Return a short line in a colour and dash as a picture's address.

    >>> swatch("#2a6bb3", (1, 0))[:40]
    "data:image/svg+xml,%3Csvg xmlns='http://"
    """
    dashes = "" if dash == SOLID else f" stroke-dasharray='{' '.join(map(str, dash))}'"
    line = f"<path d='M1 14h26' stroke='{colour}' stroke-width='3'{dashes}/>"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='28' height='28'>{line}</svg>"
    return f"data:image/svg+xml,{quote(svg, safe=_KEPT)}"


def swatches(colours: Colouring) -> dict[str, str]:
    """Return the picture of each name that has a look; beyond the last look they are grey."""
    return {name: swatch(colour, colours.dashes.get(name, SOLID)) for name, colour in colours.colours.items()}
