"""Language models: labels that are the tokens read, masks, and the losses of the models themselves."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
)

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.measures import in_context
from grokscope.collectors.testing import MemorySink

TOKENS = torch.randint(1, 12, (4, 6), generator=torch.Generator().manual_seed(0))
MASK = torch.ones_like(TOKENS)
MASK[:2, 4:] = 0


@pytest.fixture(scope="module")
def gpt2():
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=12, n_positions=8, n_embd=8, n_layer=1, n_head=2))


def evaluated(model, data, measures=(), **options):
    how = Measuring(defaults=False, budget=1e9, **options)
    held = Tracker(model, experiment="e", sink=MemorySink(), measures=measures, measuring=how)
    return held.evaluate(0, val=data)


def masked(labels):
    return labels.masked_fill(MASK == 0, -100)


@pytest.mark.parametrize("labels", [TOKENS, masked(TOKENS)], ids=["padding", "-100"])
def test_a_causal_model_has_the_loss_that_it_gives_itself(gpt2, labels, capsys):
    batch = {"input_ids": TOKENS, "attention_mask": MASK, "labels": labels}
    values = evaluated(gpt2, [batch])
    gpt2.eval()
    output = gpt2(**batch)
    assert values["val/loss"] == pytest.approx(output.loss.item(), rel=1e-5)
    right, counts = output.logits[:, :-1].argmax(-1) == labels[:, 1:], labels[:, 1:] != -100
    assert values["val/accuracy"] == pytest.approx((right[counts].sum() / counts.sum()).item(), rel=1e-5)
    assert values["val/exact_match"] == (right | ~counts).all(1).float().mean().item()
    error = capsys.readouterr().err
    assert "scored by the next one, as the loss of GPT2LMHeadModel does; Measuring(causal=False)" in error
    assert ("that attention_mask masks are scored too" in error) is (labels is TOKENS)


def test_labels_that_are_shifted_already_are_taken_as_they_are(gpt2, capsys):
    inputs, labels = TOKENS[:, :-1], TOKENS[:, 1:]
    values = evaluated(gpt2, {"input_ids": inputs, "labels": labels}, causal=False)
    pair = evaluated(gpt2, (inputs, labels), [in_context(early=1, late=5)])
    gpt2.eval()
    expected = cross_entropy(gpt2(inputs).logits.flatten(0, 1), labels.flatten()).item()
    assert (values["val/loss"], pair["val/loss"]) == pytest.approx((expected, expected), rel=1e-5)
    assert "val/in_context_score" in pair
    assert capsys.readouterr().err == ""


class Plain(nn.Module):
    """Says nowhere that it is causal."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(12, 8), nn.Linear(8, 12)

    def forward(self, input_ids):
        return self.head(self.embedding(input_ids))


def test_a_model_that_does_not_say_that_it_is_causal_is_asked_about(capsys):
    model, batch = Plain(), {"input_ids": TOKENS, "labels": TOKENS}
    assert "val/loss" in evaluated(model, batch)
    said = "are not shifted; if it predicts the next token, write Measuring(causal=True)"
    assert said in capsys.readouterr().err
    expected = cross_entropy(model(TOKENS)[:, :-1].flatten(0, 1), TOKENS[:, 1:].flatten()).item()
    for data in (batch, (TOKENS, TOKENS)):
        assert evaluated(model, data, causal=True)["val/loss"] == pytest.approx(expected, rel=1e-5)
    assert capsys.readouterr().err == ""


def test_masked_and_sequence_to_sequence_models_have_the_losses_that_they_give_themselves(capsys):
    torch.manual_seed(0)
    bert = BertForMaskedLM(
        BertConfig(
            vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
        )
    )
    t5 = T5ForConditionalGeneration(
        T5Config(
            vocab_size=12, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
        )
    )
    for model in (bert, t5):
        labels = masked(TOKENS.flip(0)) if model is bert else TOKENS[:, :3].contiguous()
        batch = {"input_ids": TOKENS, "attention_mask": MASK, "labels": labels}
        values = evaluated(model, [batch])
        model.eval()
        assert values["val/loss"] == pytest.approx(model(**batch).loss.item(), rel=1e-5)
    assert capsys.readouterr().err == ""


class Tagger(nn.Module):
    """Tags tokens by themselves and how many there are."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(9, 4), nn.Linear(4, 3)

    def forward(self, input_ids, attention_mask=None):
        length = 5 if attention_mask is None else attention_mask.sum(1)[:, None, None]
        return self.head(self.embedding(input_ids) / length)


@pytest.mark.parametrize("side", [1, -1])
def test_of_tokens_mask_and_labels_the_labels_are_the_targets(side):
    model, ids = Tagger(), torch.arange(40).reshape(8, 5) % 9
    mask = (torch.arange(5) < torch.tensor([5, 4, 3, 5, 2, 1, 5, 5])[:, None]).long()
    mask = mask if side == 1 else mask.flip(1)
    labels = torch.where(mask == 1, ids % 3, -100)
    loader = DataLoader(TensorDataset(ids, mask, labels), batch_size=3)
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    expected = cross_entropy(model(ids, mask).flatten(0, 1), labels.flatten()).item()
    assert tracker.evaluate(0, test=loader)["test/loss"] == pytest.approx(expected, rel=1e-5)


def test_labels_of_tokens_that_are_zero_or_one_are_no_mask():
    model, ids = Tagger(), torch.arange(40).reshape(8, 5) % 9
    labels = ids % 2
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    expected = cross_entropy(model(ids).flatten(0, 1), labels.flatten()).item()
    found = tracker.evaluate(0, test=(ids, labels, torch.arange(8)))
    assert found["test/loss"] == pytest.approx(expected, rel=1e-5)
