"""What a training batch holds, in the forms that people have it: examples, tokens, padding."""

import numpy as np
import pytest
import torch

from grokscope.collectors.exposure.batch_size import size_of

IDS = torch.tensor([[5, 6, 7, 0], [8, 9, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
IGNORED = torch.tensor([[6, 7, -100, -100], [9, -100, -100, -100]])


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ((torch.zeros(8, 3, 4, 4), torch.arange(8)), (8, None, None)),
        ([torch.zeros(8, 5), torch.arange(8), torch.arange(8)], (8, None, None)),
        (torch.zeros(8, 5), (8, None, None)),
        ({"pixel_values": torch.zeros(3, 1, 2, 2), "labels": torch.arange(3)}, (3, None, None)),
        ({"labels": torch.arange(3), "pixel_values": torch.zeros(3, 1, 2, 2)}, (3, None, None)),
        ((torch.zeros(4, 9, dtype=torch.uint8), torch.arange(4)), (4, None, None)),
        (
            {"idx": torch.arange(3), "image": torch.zeros(3, 1, 2, 2), "label": torch.arange(3)},
            (3, None, None),
        ),
        ({"boxes": torch.zeros(3, 4).long(), "labels": torch.arange(3)}, (3, None, None)),
        (IDS, (2, 8, 8)),
        ((IDS, IDS), (2, 8, 8)),
        ((IDS, torch.tensor([0, 1])), (2, 8, 8)),
        ((IDS, IGNORED), (2, 8, 3)),
        ((IDS.numpy(), IGNORED.numpy()), (2, 8, 3)),
        ({"input_ids": IDS}, (2, 8, 8)),
        ({"input_ids": IDS, "attention_mask": MASK, "labels": IGNORED}, (2, 8, 5)),
        ({"input_ids": IDS, "attention_mask": MASK.bool()}, (2, 8, 5)),
        ({"attention_mask": MASK, "input_ids": IDS.int()}, (2, 8, 5)),
        ({"input_ids": IDS, "attention_mask": torch.ones(2, 1, 4, 4)}, (2, 8, 8)),
        ({"input_ids": IDS, "labels": IGNORED}, (2, 8, 8)),
        (({"input_ids": IDS, "attention_mask": MASK}, torch.tensor([0, 1])), (2, 8, 5)),
        (((IDS, MASK), torch.tensor([0, 1])), (2, 8, 5)),
        ((IDS, MASK, torch.tensor([0, 1])), (2, 8, 5)),
        ((IDS.numpy(), MASK.bool().numpy(), np.zeros(2)), (2, 8, 5)),
        ((IDS, MASK.flip(1).float(), IGNORED), (2, 8, 5)),
        (((IDS, IDS), torch.tensor([0, 1])), (2, 8, 8)),
        ((IDS, IGNORED, torch.tensor([0, 1])), (2, 8, 3)),
        ((IDS, 1 - MASK.flip(1), torch.tensor([0, 1])), (2, 8, 3)),
        ((torch.arange(6), torch.arange(6)), (6, 6, 6)),
        ((np.zeros((7, 2), dtype="float32"), np.zeros(7)), (7, None, None)),
        ((torch.zeros(0, 4), torch.zeros(0)), (0, None, None)),
        ((IDS[:, :0], MASK[:, :0], torch.tensor([0, 1])), (2, 0, 0)),
        ((IDS[:0], MASK[:0], IGNORED[:0]), (0, 0, 0)),
    ],
)
def test_a_batch_tells_its_examples_its_tokens_and_those_without_padding(batch, expected):
    size = size_of(batch, ignore_index=-100)
    assert (size.examples, size.positions, size.tokens) == expected


def test_without_an_ignored_target_all_are_tokens():
    assert size_of((IDS, IGNORED), ignore_index=None).tokens == 8


@pytest.mark.parametrize("batch", ["text", 3, [], {}, [[1, 2], [3]], torch.tensor(1.0), {"labels": IDS}])
def test_what_is_no_batch_is_refused_with_what_to_do(batch):
    with pytest.raises(ValueError, match=r"^a training batch is .*write tracker\.seen\(examples=") as error:
        size_of(batch, ignore_index=-100)
    assert "\n" not in str(error.value)


def test_what_a_refused_dict_holds_is_said():
    with pytest.raises(ValueError, match=r"got dict of first: list, second: tuple; write"):
        size_of({"first": [IDS, IDS], "second": (IDS,)}, ignore_index=-100)
