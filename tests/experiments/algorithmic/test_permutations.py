"""Permutations: their table is that of the group, and a short run trains."""

import torch

from grokscope.experiments.algorithmic.permutations import PERMUTATIONS, composition_table


def square(degree: int) -> torch.Tensor:
    """Return the table of a group, rows x and columns y."""
    results = composition_table(degree)[1]
    side = int(len(results) ** 0.5)
    return results.view(side, side)


def test_a_product_does_y_first():
    # (0 1 2) -> (1 2 0) is number 3, the swap of the last two is number 1.
    table = square(3)
    assert (table[3, 1].item(), table[1, 3].item()) == (2, 5)


def test_the_table_is_that_of_a_group():
    table = square(4)
    everything = torch.arange(24)
    assert torch.equal(table[0], everything)
    assert torch.equal(table[:, 0], everything)
    assert all(torch.equal(line.sort().values, everything) for line in (*table, *table.T))
    assert torch.equal(table[table], table[:, table])  # (x·y)·z and x·(y·z)


def test_the_five_things_have_120_permutations_and_do_not_commute():
    table = square(5)
    assert table.shape == (120, 120)
    assert not torch.equal(table, table.T)


def test_a_short_run_trains(curves_of):
    curves = curves_of(PERMUTATIONS, degree=3, batch=8)
    assert curves["train/loss"][3] < curves["train/loss"][0]
    assert curves["test/accuracy"].keys() == {0, 1, 2, 3}
