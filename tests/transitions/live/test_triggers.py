"""When the engine is asked again: at news, and not at every evaluation."""

import pytest

from grokscope.schemas import Kind
from grokscope.transitions.live.triggers import Dips, Triggers

UP = {Kind.MEMORIZATION, Kind.GENERALIZATION}


def test_a_held_out_level_that_stays_is_no_news_and_its_loss_is_until_a_collapse_stands():
    triggers = Triggers()
    for _ in range(20):
        triggers.test(1.0, reported=UP)
    assert not triggers.test(1.0, reported=UP)
    lost = [triggers.test(0.1, reported=UP) for _ in range(5)]
    assert any(lost)
    assert not any(triggers.test(0.1, reported={*UP, Kind.COLLAPSE}) for _ in range(20))


def test_an_evaluation_without_a_score_is_no_news():
    assert not Triggers().update({"weight/norm": 1.0}, test="test/accuracy", reported=())


@pytest.mark.parametrize("kept", [0, 1, 12])
def test_dips_are_told_at_the_fourth_where_a_quarter_or_more_is_lost(kept: int):
    dips = Dips(share=0.25)
    for _ in range(kept):
        dips.add(is_lost=False)
    assert [dips.add(is_lost=True) for _ in range(4)] == [False, False, False, True]


def test_dips_that_are_rarer_than_their_share_are_not_told():
    dips = Dips(share=0.25)
    for _ in range(13):
        dips.add(is_lost=False)
    assert not any(dips.add(is_lost=True) for _ in range(4))
