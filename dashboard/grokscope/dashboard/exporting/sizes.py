"""How large a figure is on paper or on a slide, and how large the text in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grokscope.schemas import GrokscopeError

MM_PER_POINT = 25.4 / 72
_SMALLEST, _LARGEST = 30.0, 1500.0
_OWN = re.compile(r"(\d+(?:\.\d+)?)(?:x(\d+(?:\.\d+)?))?")


class SizeError(GrokscopeError):
    """A size that no figure can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of a figure.

    Attributes:
        width_mm: Of all of it, with axes and key.
        height_mm: The same; ``None`` where it is as high as its charts are.
        pixel_pt: What a pixel of the page is on paper, in points: texts of 11 pixels have 11 times as much.
    """

    width_mm: float
    height_mm: float | None = None
    pixel_pt: float = 0.65

    @property
    def width(self) -> float:
        """Width in pixels of the page."""
        return self.width_mm / MM_PER_POINT / self.pixel_pt

    @property
    def height(self) -> float | None:
        """Height in pixels of the page."""
        return None if self.height_mm is None else self.height_mm / MM_PER_POINT / self.pixel_pt


SIZES: Mapping[str, Size] = {
    "single": Size(width_mm=85),
    "double": Size(width_mm=175),
    "slide": Size(width_mm=338.67, height_mm=190.5, pixel_pt=1.25),
}
"""One column of a journal, two of them, and a slide of 16:9."""


def size_of(text: str) -> Size:
    """Return the size of a name, of a width or of ``WIDTHxHEIGHT``, both in mm.

    Raises:
        SizeError: If there is no such size, or it is smaller than 30 mm or larger than 1,500 mm.

    >>> size_of("single").width_mm, size_of("120x80").height_mm, size_of("60").height_mm
    (85, 80.0, None)
    """
    if text in SIZES:
        return SIZES[text]
    found = _OWN.fullmatch(text)
    sides = [] if found is None else [float(side) for side in found.groups() if side is not None]
    if not sides or not all(_SMALLEST <= side <= _LARGEST for side in sides):
        raise SizeError(
            f"{text[:40]!r} is no size of a figure; give {', '.join(SIZES)}, a width in mm such as 120, "
            f"or WIDTHxHEIGHT such as 120x80, each from {_SMALLEST:g} to {_LARGEST:,.0f} mm"
        )
    return Size(width_mm=sides[0], height_mm=sides[1] if len(sides) > 1 else None)
