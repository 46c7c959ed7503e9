"""Training on fresh sequences, and the score of what the context gains."""

import torch
from torch.nn.functional import cross_entropy

from grokscope.collectors.measures.instrument import StepContext
from grokscope.experiments.sequences.next_token import attention_only, context_gain, next_token, predicting


def tiny():
    torch.manual_seed(0)
    return attention_only(tokens=5, length=6, width=8, heads=2, layers=2)


def test_the_loss_is_the_mean_over_all_positions_of_the_batch_that_is_drawn():
    model, tokens = tiny(), torch.randint(5, (3, 7))
    loss = predicting(model, lambda: next_token(tokens), {}, batch=3).loss_of(0)
    logits = model(tokens[:, :-1])
    one_by_one = [cross_entropy(logits[n, t], tokens[n, t + 1]) for n in range(3) for t in range(6)]
    assert torch.allclose(loss, torch.stack(one_by_one).mean())


def test_what_the_context_gains_is_the_late_loss_minus_the_early_one():
    model, (inputs, targets) = tiny(), next_token(torch.randint(5, (4, 7)))
    found = context_gain((inputs, targets), early=2, late=6)(StepContext(step=0, model=model))
    logits = model(inputs)
    wanted = cross_entropy(logits[:, 5], targets[:, 5]) - cross_entropy(logits[:, 1], targets[:, 1])
    assert list(found) == ["test/in_context_score"]
    assert torch.allclose(torch.as_tensor(found["test/in_context_score"]), wanted)
