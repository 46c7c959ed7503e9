"""Which of several scores is judged first."""

import numpy as np
import pytest

from grokscope.schemas import score_of
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.verdict.pairs import Scored


@pytest.mark.parametrize(
    ("quantity", "rank"),
    [
        ("accuracy", 0),
        ("auc", 1),
        ("r2", 2),
        ("mse", 3),
        ("reward", 4),
        ("loss", 5),
        ("perplexity", 6),
    ],
)
def test_a_score_tells_the_more_the_more_is_known_of_its_range(quantity: str, rank: int):
    score = score_of(f"test/{quantity}")
    assert score is not None
    curve = Curve(metric=f"test/{quantity}", steps=np.arange(1), values=np.zeros(1))
    assert Scored(curve=curve, score=score, split="test", task="").rank == rank
