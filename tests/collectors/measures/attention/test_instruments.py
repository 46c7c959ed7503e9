"""The instruments of attention and routing against the same by hand."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from grokscope.collectors.measures import (
    attention_heads,
    expert_routing,
    repeated_tokens,
)
from grokscope.collectors.measures.attention.heads import attention_entropy, prefix_matching_score
from grokscope.collectors.measures.attention.patterns import patterns_of
from grokscope.collectors.measures.instrument import StepContext

TOKENS = repeated_tokens(11, sequences=3, length=12)


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.layers = nn.ModuleList([nn.MultiheadAttention(8, 2, batch_first=True) for _ in range(2)])

    def forward(self, tokens):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = x + layer(x, x, x, need_weights=False)[0]
        return x


def test_multihead_attention_is_asked_for_its_weights_in_this_pass_only():
    model, x, expected = Attending().eval(), None, []
    with torch.no_grad():
        x = model.embedding(TOKENS)
        for layer in model.layers:
            out, weights = layer(x, x, x, average_attn_weights=False)
            expected.append(weights)
            x = x + out
        torch.testing.assert_close(patterns_of(model, TOKENS), torch.stack(expected))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_hugging_face_model_gives_its_patterns_and_each_head_its_scores():
    config = GPT2Config(
        n_layer=2, n_head=2, n_embd=8, vocab_size=11, n_positions=12, bos_token_id=0, eos_token_id=0
    )
    config._attn_implementation = "eager"
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        seen = torch.stack(model(TOKENS, output_attentions=True).attentions)
        values = attention_heads(tokens=TOKENS)(StepContext(step=0, model=model))
    entropy, matching = attention_entropy(seen), prefix_matching_score(seen, TOKENS)
    assert values["attention/entropy/1.0"].item() == pytest.approx(entropy[1, 0].item())
    assert values["attention/prefix_matching/0.1"].item() == pytest.approx(matching[0, 1].item())
    assert values["attention/prefix_matching"].item() == pytest.approx(matching.max().item())
    assert values["attention/entropy"].item() == pytest.approx(entropy.mean().item())


def test_a_model_without_attention_is_told_apart_in_one_sentence():
    with pytest.raises(
        ValueError, match=r"Linear gave attention weights of shapes \[\].*function of your own"
    ):
        patterns_of(nn.Linear(2, 2), torch.zeros(1, 2))


def test_repeated_tokens_repeat_after_lengths_that_differ():
    tokens = repeated_tokens(1000, sequences=8, length=64)
    periods = [next(p for p in range(1, 64) if torch.equal(row[p:], row[:-p])) for row in tokens]
    assert all(16 <= period <= 32 for period in periods)
    assert len(set(periods)) > 1


def test_an_expert_that_no_token_chooses_is_dead():
    model = nn.Sequential(nn.Linear(2, 4, bias=False))
    model[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-9.0, -9.0], [-9.0, -9.0]])
    split = {"train": (torch.eye(2), torch.zeros(2).long())}
    values = expert_routing(["0"])(StepContext(step=0, model=model, splits=split))
    assert values["routing/dead_experts/0"].item() == 0.5
    assert values["routing/load_balance/0"].item() == pytest.approx(0.5)
