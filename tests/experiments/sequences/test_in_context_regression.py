"""In-context regression: what is read, what is asked, and which functions are trained on."""

import pytest
import torch

from grokscope.experiments.sequences.in_context_regression import (
    InContextRegression,
    prepare,
    regressions,
)

TINY = {"width": 8, "hidden": 8, "batch": 4, "examples": 6}


def recovered(split: tuple[torch.Tensor, torch.Tensor], dimensions: int) -> torch.Tensor:
    """Return the function that least squares finds in the context of each sequence."""
    read, _ = split
    inputs, values = read[:, :-1, :dimensions], read[:, :-1, dimensions : dimensions + 1]
    return torch.linalg.lstsq(inputs, values).solution[..., 0]


def test_the_context_tells_the_function_and_hides_what_is_asked():
    weights = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    split = regressions(weights, examples=6, generator=torch.Generator().manual_seed(1))
    read, asked = split
    assert torch.allclose(recovered(split, 3), weights, atol=1e-3)
    assert torch.allclose((read[:, -1, :3] * weights).sum(1, keepdim=True), asked, atol=1e-6)
    assert read[:, -1, 3:].tolist() == [[0.0, 1.0]] * 5
    assert not read[:, :-1, 4].any()


def test_training_shows_only_as_many_functions_as_the_recipe_has_and_the_test_set_others():
    training = prepare(InContextRegression(tasks=3, **TINY))
    seen, unseen = (recovered(training.splits[name], 4) for name in ("train", "test"))
    # Each sequence is numbered by the first one of the same function.
    firsts = {int(row.int().argmax()) for row in torch.cdist(seen, seen) < 1e-2}
    known = seen[sorted(firsts)]
    assert len(known) == 3
    assert float(torch.cdist(unseen, known).min()) > 1e-2


def test_values_have_a_variance_of_1_and_larger_inputs_have_larger_values():
    splits = prepare(InContextRegression(**TINY)).splits
    assert abs(float(splits["test"][1].var()) - 1) < 0.3
    assert abs(float(splits["shift:larger_inputs"][1].var()) - 2.25) < 0.6


def test_a_seed_draws_the_same_batches_again():
    first, again, other = (prepare(InContextRegression(seed=s, **TINY)).loss_of(0).item() for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("setting", ["tasks", "examples"])
def test_a_training_without_tasks_or_examples_is_refused(setting):
    with pytest.raises(ValueError, match=f"{setting} is at least 1, got 0"):
        prepare(InContextRegression(**{**TINY, setting: 0}))
