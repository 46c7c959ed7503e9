import itertools
import tomllib

import numpy as np
import pytest

from grokscope.dashboard.charts import DARK, LIGHT
from grokscope.dashboard.serving.settings import THEME

# Machado, Oliveira & Fernandes 2009, severity 1.0, linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
FIRST = 5
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour):
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Ottosson 2020."""
    return TO_LAB @ np.cbrt(np.clip(TO_LMS @ rgb, 0, None))


def contrast(one, other):
    lights = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) + 0.05 for c in (one, other))
    return lights[1] / lights[0]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", SEEN_BY)
def test_the_first_five_groups_are_told_apart_by_every_eye(palette, eye):
    seen = [oklab(np.clip(SEEN_BY[eye] @ linear(colour), 0, 1)) for colour in palette.series[:FIRST]]
    # 0.02 is about a just noticeable difference in OKLab; thin lines need several.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.09


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_labels_stand_out_from_the_paper(palette):
    assert all(contrast(colour, palette.paper) >= 3 for colour in palette.series)  # WCAG 1.4.11
    assert contrast(palette.muted, palette.paper) >= 4.5  # WCAG 1.4.3
    assert contrast(palette.ink, palette.paper) >= 7


@pytest.mark.parametrize(("palette", "section"), [(LIGHT, "light"), (DARK, "dark")], ids=["light", "dark"])
def test_charts_and_page_are_on_the_same_paper_in_the_same_ink(palette, section):
    theme = tomllib.loads(THEME.read_text())["theme"][section]
    assert theme["backgroundColor"] == palette.paper
    assert theme["textColor"] == palette.ink
    assert theme["chartCategoricalColors"] == list(palette.series)


def test_a_colour_depends_on_the_set_of_names_alone_and_none_is_used_twice():
    names = [f"arm {i}" for i in range(LIGHT_COLOURS)]
    assert LIGHT.of(names) == LIGHT.of(names[::-1])
    assert len(set(LIGHT.of(names).values())) == LIGHT_COLOURS
    more = LIGHT.of([*names, "arm 10"])
    coloured = [colour for colour in more.values() if colour != LIGHT.muted]
    assert len(set(coloured)) == len(coloured) == LIGHT_COLOURS - 1
    assert LIGHT.left_grey(more) == 2


LIGHT_COLOURS = len(LIGHT.series)
