"""A suspicion before its bets begin."""

from grokscope.transitions.live.suspicion import Suspicion


def test_without_a_bet_the_wealth_is_what_it_began_with():
    assert Suspicion("a", alpha=0.01, margin=0.05, baseline=0.1).e_value == 1.0
