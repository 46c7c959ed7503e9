import pytest

from grokscope.schemas import UnknownMetricError, canonical, given_key, resolve, score_of


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("test/accuracy", "test/accuracy"),
        ("test/accuracy:up", "test/accuracy"),
        ("test/f1", "test/f1"),
        ("shift:far/score:up", "shift:far/score"),
        ("test/reward:down", "test/reward:down"),
        ("train/free_energy:down", "train/free_energy:down"),
        ("weights/norm/embedding", "weights/norm/embedding"),
        ("val/recall_at_10", "val/recall_at_10"),
    ],
)
def test_a_person_may_give_any_score_of_a_split_and_say_which_way_is_better(given, key):
    assert given_key(given) == key
    assert canonical(key) == key
    assert resolve(["mine"], {"mine": key}) == {"mine": key}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "test/acuracy",
            "'test/acuracy' is no key; closest: 'test/accuracy'. If it is a quantity of your own",
        ),
        ("test/energy", "say which way is better: test/energy:up or test/energy:down"),
        ("test/energy:sideways", "'test/energy:sideways' is no key"),
        ("weights/norm:up", "'weights/norm:up' is no key; closest: 'weights/norm'"),
        ("test/:up", "'test/:up' is no key"),
        ("lr", "'lr' is no key"),
    ],
)
def test_what_is_no_key_is_told_in_one_sentence(given, sentence):
    with pytest.raises(UnknownMetricError) as told:
        given_key(given)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_the_way_that_a_person_gives_wins_over_the_quantity():
    turned, own = score_of("test/reward:down"), score_of("test/energy:down")
    assert turned is not None
    assert own is not None
    assert (turned.quantity, turned.higher_is_better) == ("reward:down", False)
    assert (own.quantity, own.higher_is_better, own.best) == ("energy:down", False, None)
