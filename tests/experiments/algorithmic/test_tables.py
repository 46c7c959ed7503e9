"""Tables of operations: which pairs they hold, what the results are, how they are split."""

import pytest
import torch

from grokscope.experiments.algorithmic.tables import OPERATIONS, divided, operation_table

P = 7


def rows(operation: str, fraction: float = 0.5, seed: int = 0) -> list[tuple[int, int, int]]:
    """Return all of a table, sorted."""
    sides = operation_table(operation, P, fraction, seed)
    return sorted(
        (x, y, result)
        for pairs, results in sides
        for (x, y), result in zip(pairs.tolist(), results.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("x+y", lambda x, y: (x + y) % P),
        ("x-y", lambda x, y: (x - y) % P),
        ("x*y", lambda x, y: (x * y) % P),
        ("x^2+y^2", lambda x, y: (x**2 + y**2) % P),
    ],
)
def test_a_table_holds_every_pair_of_residues_once(operation, result):
    assert rows(operation) == [(x, y, result(x, y)) for x in range(P) for y in range(P)]


def test_a_quotient_times_its_divisor_is_the_dividend_and_nothing_is_divided_by_zero():
    table = rows("x/y")
    assert [(x, y) for x, y, _ in table] == [(x, y) for x in range(P) for y in range(1, P)]
    assert all(result in range(P) and result * y % P == x for x, y, result in table)


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (operation_table("x+y", 11, 0.4, seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_training_set_has_the_share_that_is_asked_for_rounded_down():
    train, test = divided((torch.arange(9), torch.arange(9)), 0.5, seed=0)
    assert (len(train[0]), len(test[0])) == (4, 5)
    assert sorted(torch.cat([train[0], test[0]]).tolist()) == list(range(9))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0])
def test_a_split_without_a_side_is_refused(fraction):
    with pytest.raises(ValueError, match="train_fraction must leave examples on both sides"):
        operation_table("x+y", 5, fraction, seed=0)


def test_a_quotient_modulo_no_prime_is_refused_with_the_next_prime():
    with pytest.raises(ValueError, match="p is a prime where operation is x/y, got 24; the next is 29"):
        operation_table("x/y", 24, 0.5, seed=0)


def test_an_unknown_operation_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"operation is one of x\+y, .*, got 'x%y'"):
        operation_table("x%y", 5, 0.5, seed=0)
    assert list(OPERATIONS) == ["x+y", "x-y", "x*y", "x/y", "x^2+y^2"]
