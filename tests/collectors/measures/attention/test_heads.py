"""Heads, contexts and routers against loops over positions and against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from grokscope.collectors.measures.attention.heads import (
    attention_entropy,
    prefix_matching_score,
    previous_token_score,
)
from grokscope.collectors.measures.attention.routing import expert_load, pathway_consistency, router_entropy
from grokscope.collectors.measures.outputs.in_context import in_context_score

LAYERS, BATCH, HEADS, LENGTH = 2, 3, 4, 6


def causal(seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(LAYERS, BATCH, HEADS, LENGTH, LENGTH, generator=generator, dtype=torch.float64)
    hidden = torch.ones(LENGTH, LENGTH).triu(1).bool()
    tokens = torch.randint(0, 3, (BATCH, LENGTH), generator=generator)
    return scores.masked_fill(hidden, -math.inf).softmax(-1).to(dtype), tokens


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12), (torch.bfloat16, 2e-2)]
)
@pytest.mark.parametrize("seed", range(2))
def test_the_scores_of_heads_are_those_of_a_loop_over_positions(seed, dtype, tolerance):
    exact, tokens = causal(seed)
    patterns = exact.to(dtype)
    a = exact.numpy()
    for layer in range(LAYERS):
        for head in range(HEADS):
            rows = [a[layer, b, head, t] for b in range(BATCH) for t in range(LENGTH)]
            assert attention_entropy(patterns)[layer, head].item() == pytest.approx(
                np.mean([entropy(row) for row in rows]), abs=tolerance
            )
            before = [a[layer, b, head, t, t - 1] for b in range(BATCH) for t in range(1, LENGTH)]
            assert previous_token_score(patterns)[layer, head].item() == pytest.approx(
                np.mean(before), abs=tolerance
            )
            matched = []
            for b in range(BATCH):
                for t in range(LENGTH):
                    earlier = [s for s in range(t) if tokens[b, s] == tokens[b, t]]
                    if earlier:
                        matched.append(sum(a[layer, b, head, t, s + 1] for s in earlier))
            assert prefix_matching_score(patterns, tokens)[layer, head].item() == pytest.approx(
                np.mean(matched), abs=tolerance
            )


def test_an_ideal_induction_head_scores_1_and_distinct_tokens_score_nothing():
    tokens = torch.tensor([[4, 8, 6, 4, 8, 6]])
    pattern = torch.eye(6)
    pattern[3:] = 0
    pattern[range(3, 6), range(1, 4)] = 1
    assert prefix_matching_score(pattern.expand(1, 1, 6, 6), tokens).item() == 1
    assert prefix_matching_score(pattern.expand(1, 1, 6, 6), torch.arange(6).unsqueeze(0)).isnan()


@pytest.mark.parametrize("experts", [2, 8])
def test_a_uniform_router_has_entropy_1_and_a_sure_one_0(experts):
    assert router_entropy(torch.full((5, experts), 1 / experts)).item() == pytest.approx(1)
    assert router_entropy(torch.eye(experts)).item() == 0


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_the_load_is_the_count_of_choices(top_k):
    probabilities = torch.rand(40, 5, generator=torch.Generator().manual_seed(0))
    chosen = np.argsort(-probabilities.numpy(), axis=1)[:, :top_k].ravel()
    expected = np.bincount(chosen, minlength=5) / len(chosen)
    assert expert_load(probabilities, top_k=top_k).tolist() == pytest.approx(expected.tolist())


def test_pathways_are_as_consistent_as_their_addresses_are_parallel():
    one, other = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0], [0.0, -5.0]])
    assert pathway_consistency([one, other]).item() == pytest.approx((0 - 1) / 2)
    assert pathway_consistency([one, 3 * one, one]).item() == pytest.approx(1)


def test_the_in_context_score_is_a_difference_of_two_positions():
    losses = torch.arange(12.0).view(2, 6).square()
    expected = (losses[:, 4] - losses[:, 1]).mean().item()
    assert in_context_score(losses, early=2, late=5).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attention_entropy(torch.zeros(2, 2)), r"\[\.\.\., B, H, T, S\]"),
        (lambda: previous_token_score(torch.zeros(1, 1, 2, 3)), "self-attention"),
        (lambda: prefix_matching_score(torch.zeros(1, 1, 2, 2), torch.zeros(2, 2)), "tokens must be"),
        (lambda: router_entropy(torch.zeros(3)), "flatten it"),
        (lambda: expert_load(torch.ones(2, 3), top_k=4), "top_k must lie in 1..3"),
        (lambda: pathway_consistency([torch.ones(2, 3)]), "two or more layers"),
        (lambda: in_context_score(torch.ones(2, 5), early=3, late=6), "within the sequences"),
    ],
)
def test_what_cannot_be_read_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
