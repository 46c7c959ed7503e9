"""Inputs whose parity of a few bits is asked for: uniform ones, and sparse ones, which are the easy ones."""

import torch

from grokscope.experiments.training.batches import Split


def parity_examples(
    count: int, *, bits: int, parity_bits: int, density: float, generator: torch.Generator
) -> Split:
    """Return inputs [count, bits] of 1 and -1, and the parity of their first bits [count].

    An input of -1 stands for a bit of 1; the parity, 0 or 1, is their number modulo 2.

    Args:
        count: Examples.
        bits: Of an input.
        parity_bits: Bits that the parity is of.
        density: Chance that a bit is 1; inputs of 0.5 are uniform, of less are sparse.
        generator: Draws the inputs.

    >>> inputs, parity = parity_examples(4, bits=6, parity_bits=2, density=0.5, generator=torch.Generator())
    >>> torch.equal(parity, (inputs[:, 0] * inputs[:, 1] < 0).long())
    True
    """
    is_one = torch.rand(count, bits, generator=generator) < density
    return 1.0 - 2.0 * is_one.float(), is_one[:, :parity_bits].sum(1) % 2
