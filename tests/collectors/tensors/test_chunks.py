"""Piece by piece as at once: the pieces cover everything in order, and what is made of them is the same."""

import pytest
import torch

from grokscope.collectors.measures.weights import movement as movement_module
from grokscope.collectors.measures.weights.movement import distance_from_init
from grokscope.collectors.measures.weights.norms import weight_norm
from grokscope.collectors.tensors.chunks import in_pieces

SHAPES = [(3, 4), (0,), (), (2, 5), (7,)]


def tensors(seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


@pytest.mark.parametrize("most", [1, 2, 5, 12, 10_000])
def test_pieces_hold_every_element_once_in_order_and_no_more_than_allowed(most):
    one, other = tensors(0), tensors(1)
    sets = list(in_pieces(one, other, most=most))
    for side, whole in ((0, one), (1, other)):
        joined = torch.cat([piece.flatten() for held in sets for piece in held[side]])
        assert torch.equal(joined, torch.cat([tensor.flatten() for tensor in whole]))
    assert all(sum(piece.numel() for piece in held[0]) <= most for held in sets)
    owners = [(index, piece.numel()) for held in sets for piece, index in zip(held[0], held[2], strict=True)]
    sizes = [sum(size for index, size in owners if index == i) for i in range(len(SHAPES))]
    assert sizes == [tensor.numel() for tensor in one]


def test_what_is_not_contiguous_stays_whole():
    turned = torch.arange(12.0).view(3, 4).T
    ((pieces, _, _),) = in_pieces([turned], [turned.contiguous()], most=2)
    assert torch.equal(pieces[0], turned)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_a_distance_is_the_same_in_pieces_of_any_size(order, monkeypatch):
    now, then = tensors(2), tensors(3)
    at_once = weight_norm([a - b for a, b in zip(now, then, strict=True)], order=order)
    for most in (1, 3, 8):
        monkeypatch.setattr(movement_module, "in_pieces", lambda *two, most=most: in_pieces(*two, most=most))
        assert distance_from_init(now, then, order=order).item() == pytest.approx(at_once.item())
