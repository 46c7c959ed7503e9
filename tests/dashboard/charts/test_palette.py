import itertools
import tomllib

import numpy as np
import pytest

from grokscope.dashboard.charts import DARK, LIGHT
from grokscope.dashboard.charts.elements.palette import MOST_LOOKS
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


def looks(names):
    colours, dashes = LIGHT.of(names), LIGHT.dashes(names)
    return {name: (colours[name], dashes[name]) for name in names}


def test_no_two_groups_look_the_same_and_one_that_comes_later_changes_none():
    names = [f"arm {i}" for i in range(MOST_LOOKS)]
    all_looks = looks(names)
    assert len(set(all_looks.values())) == MOST_LOOKS
    for count in range(MOST_LOOKS):
        assert looks(names[:count]) == {name: all_looks[name] for name in names[:count]}


def test_groups_beyond_the_last_look_are_grey():
    names = [f"arm {i}" for i in range(MOST_LOOKS + 2)]
    assert [name for name, colour in LIGHT.of(names).items() if colour == LIGHT.muted] == names[-2:]
    assert LIGHT.left_grey(names) == 2


def test_a_group_has_its_colour_in_every_experiment_where_none_before_it_took_it():
    assert {LIGHT.of([other, "lr 0.1"])["lr 0.1"] for other in ("lr 1", "none", "width 3")} == {
        LIGHT.of(["lr 0.1"])["lr 0.1"]
    }
