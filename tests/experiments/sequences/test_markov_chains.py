"""Markov chains: their draw, and predictions by unigrams and bigrams."""

import math
from itertools import pairwise

import torch

from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.testing import MemorySink
from grokscope.experiments.sequences.markov_chains import (
    MarkovChains,
    bigrams,
    chains,
    of_equal_frequencies,
    prepare,
    transition_matrices,
    unigrams,
)
from grokscope.experiments.sequences.next_token import divergences
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

TINY = {"steps": 2, "batch": 4, "length": 8, "width": 8}


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_transitions_are_as_frequent_as_the_matrix_says():
    matrix = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.5, 0.5, 0.0]])
    found = chains(matrix.expand(200, 3, 3), length=200, generator=drawn(0))
    pairs = torch.bincount((3 * found[:, :-1] + found[:, 1:]).flatten(), minlength=9).view(3, 3)
    assert torch.allclose(pairs / pairs.sum(dim=1, keepdim=True), matrix, atol=0.02)
    assert pairs[2, 2] == 0


def test_shifted_chains_are_in_each_state_equally_often():
    matrices = of_equal_frequencies(transition_matrices(50, 4, generator=drawn(1)))
    ones = torch.ones(50, 4)
    assert torch.allclose(matrices.sum(dim=1), ones)
    assert torch.allclose(matrices.sum(dim=2), ones)


def test_predictions_by_counting_are_the_counts_one_by_one():
    read = chains(transition_matrices(3, 3, generator=drawn(2)), length=9, generator=drawn(3))
    single, double = unigrams(read, 3), bigrams(read, 3)
    for n, row in enumerate(read.tolist()):
        for t, state in enumerate(row):
            seen = row[: t + 1]
            after = [b for a, b in pairwise(seen) if a == state]
            for k in range(3):
                assert math.isclose(single[n, t, k], (1 + seen.count(k)) / (t + 4), rel_tol=1e-5)
                assert math.isclose(double[n, t, k], (1 + after.count(k)) / (len(after) + 3), rel_tol=1e-5)


def test_a_model_that_counts_bigrams_diverges_from_unigrams_alone():
    read = chains(transition_matrices(5, 3, generator=drawn(4)), length=30, generator=drawn(5))

    class Counting(torch.nn.Module):
        def forward(self, tokens):
            return bigrams(tokens, 3).log()

    found = divergences(read, {"unigrams": unigrams(read, 3), "bigrams": bigrams(read, 3)})(
        StepContext(step=0, model=Counting())
    )
    assert abs(found["task/divergence_from_bigrams"]) < 1e-6
    assert found["task/divergence_from_unigrams"] > 0.05


def test_a_run_logs_both_divergences_and_the_shifted_set():
    sink = MemorySink()
    recipe = MarkovChains(**TINY)
    train(prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
    logged = {key for _, key, _ in sink.rows()}
    assert {
        "task/divergence_from_unigrams",
        "task/divergence_from_bigrams",
        "test/in_context_score",
        "test/loss",
        "shift:equal_frequencies/loss",
    } <= logged


def test_a_seed_draws_the_same_batches_again():
    first, again, other = (prepare(MarkovChains(seed=s, **TINY)).loss_of(0).item() for s in (0, 0, 1))
    assert first == again != other
