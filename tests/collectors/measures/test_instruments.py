"""What single instruments read and keep, against the same by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from grokscope.collectors.evaluating.forward_pass import Pass, forward_pass
from grokscope.collectors.measures import (
    active_units,
    alignment,
    attention_heads,
    early_loss,
    expert_routing,
    gradient_noise,
    in_context,
    neural_collapse,
    repeated_tokens,
    second_moments,
    slices,
    update_window,
)
from grokscope.collectors.measures.attention.heads import attention_entropy, prefix_matching_score
from grokscope.collectors.measures.attention.patterns import patterns_of
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.representation.simplex import class_means, nc3, nc4

TOKENS = repeated_tokens(11, sequences=3, length=12)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def found(features, targets, classes=4):
    logits = torch.randn(len(features), classes, generator=seeded())
    return Pass(logits=logits, targets=targets, features=features)


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


def test_collapse_takes_the_classifier_and_decides_by_the_training_means():
    labels = torch.arange(20) % 4
    train = found(torch.randn(20, 3, generator=seeded(1)), labels)
    test = found(torch.randn(20, 3, generator=seeded(2)), labels)
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 4))
    values = neural_collapse()(StepContext(step=0, model=model, passes={"train": train, "test": test}))
    means = [class_means(p.features, labels, classes=4) for p in (train, test)]
    assert torch.equal(values["representation/nc4/test"], nc4(test.features, test.logits, means[0]))
    assert torch.equal(values["representation/nc3/test"], nc3(means[1], model[0].weight))


def test_a_representation_is_compared_with_the_first_reading_and_the_one_before():
    watch, labels = alignment(), torch.zeros(30).long()
    features = [torch.randn(30, 4, generator=seeded(s)) for s in range(2)]
    sequence = [features[0], features[1], 2 * features[1]]
    read = [watch(StepContext(step=0, model=nn.ReLU(), passes={"test": found(f, labels)})) for f in sequence]
    assert read[0] == {}
    assert read[2]["representation/cka_previous/test"].item() == pytest.approx(1)
    assert read[2]["representation/cka_init/test"].item() == pytest.approx(
        read[1]["representation/cka_init/test"].item()
    )


def classifier():
    x, y = torch.randn(32, 5, generator=seeded(3)), torch.arange(32) % 3
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Linear(5, 3)
    return model, x, y


def test_second_moments_are_corrected_for_the_bias_of_their_start():
    model, x, y = classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.9, 0.95))
    gradients = []
    for _ in range(3):
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]).clone())
        optimizer.step()
    v = sum(0.05 * 0.95 ** (2 - t) * g.square() for t, g in enumerate(gradients)) / (1 - 0.95**3)
    expected = v.sqrt().sort().values[round(0.5 * (len(v) - 1))]
    values = second_moments()(StepContext(step=0, model=model, optimizer=optimizer))
    assert values["updates/second_moment_q50"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_noise_scale_is_that_of_every_other_example_and_is_averaged_before_the_ratio():
    model, x, y = classifier()
    watch, moments = gradient_noise(memory=0.5), []
    for step in range(2):
        values = watch(StepContext(step=step, model=model, splits={"train": (x, y)}))
        halves = []
        for start in (0, 1):
            loss = cross_entropy(model(x[start::2]), y[start::2])
            halves.append(
                torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
            )
        small = (halves[0].square().sum() + halves[1].square().sum()) / 2
        large = ((halves[0] + halves[1]) / 2).square().sum()
        moments.append(torch.stack([2 * large - small, (small - large) * 32]))
        model.weight.data *= 2
    signal, noise = (moments[0] + moments[1]) / 2
    assert values["gradients/noise_scale"].item() == pytest.approx(
        (noise / signal.clamp_min(0)).item(), rel=1e-3
    )


def test_a_window_speaks_once_it_is_full_and_sees_a_straight_way():
    model, watch, read = nn.Linear(6, 6), update_window(window=3), []
    for step in range(5):
        read.append(watch(StepContext(step=step, model=model)))
        model.weight.data += 1
    assert [bool(values) for values in read] == [False, False, False, True, True]
    assert read[4]["updates/first_share"].item() == pytest.approx(1, abs=1e-6)


def test_early_losses_speak_once_and_are_kept_as_they_were():
    watch, loss, context = early_loss(steps=4), torch.zeros(()), StepContext(step=0, model=nn.ReLU())
    for value in (1.0, 3.0, 1.0, 3.0, 100.0):
        watch.see(loss.fill_(value))
    assert watch(context)["train/early_activity"].item() == 1
    watch.see(5.0)
    assert watch(context) == {}


def test_units_are_read_at_the_layers_asked_for():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    model[0].weight.data.zero_()
    model[0].bias.data = torch.tensor([1.0, -1.0, -1.0, -1.0])
    split = {"train": (torch.zeros(3, 2), torch.zeros(3).long())}
    values = active_units(layers=["1"])(StepContext(step=0, model=model, splits=split))
    assert values["representation/dead_units/1"].item() == 0.75
    with pytest.raises(ValueError, match="'2' is no submodule of Sequential"):
        active_units(layers=["2"])(StepContext(step=0, model=model, splits=split))


def test_an_expert_that_no_token_chooses_is_dead():
    model = nn.Sequential(nn.Linear(2, 4, bias=False))
    model[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-9.0, -9.0], [-9.0, -9.0]])
    split = {"train": (torch.eye(2), torch.zeros(2).long())}
    values = expert_routing(["0"])(StepContext(step=0, model=model, splits=split))
    assert values["routing/dead_experts/0"].item() == 0.5
    assert values["routing/load_balance/0"].item() == pytest.approx(0.5)


def test_a_context_is_scored_where_every_target_is_there():
    targets = torch.arange(12).view(2, 6) % 4
    passes = {"test": found(torch.zeros(12, 1), targets.flatten())}
    split = {"test": (torch.zeros(2, 6), targets)}
    losses = cross_entropy(passes["test"].logits, targets.flatten(), reduction="none").view(2, 6)
    values = in_context(early=2, late=6)(StepContext(step=0, model=nn.ReLU(), splits=split, passes=passes))
    expected = (losses[:, 5] - losses[:, 1]).mean().item()
    assert values["test/in_context_score"].item() == pytest.approx(expected)
    fewer = {"test": found(torch.zeros(11, 1), targets.flatten()[1:])}
    assert in_context(early=2, late=6)(StepContext(step=0, model=nn.ReLU(), splits=split, passes=fewer)) == {}


def test_slices_are_named_all_or_none_and_the_worst_is_told():
    with pytest.raises(ValueError, match="name all 3 groups, got 2"):
        slices({"test": torch.tensor([0, 2])}, names=["a", "b"])
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passes = {"test": Pass(logits=logits, targets=torch.tensor([0, 0]), features=None)}
    values = slices({"test": torch.tensor([0, 2])})(StepContext(step=0, model=nn.ReLU(), passes=passes))
    assert values["groups/worst_accuracy/test"].item() == 0
    assert math.isnan(values["groups/accuracy/test/1"].item())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_noise(memory=1.0), r"memory must lie in \[0, 1\)"),
        (lambda: update_window(window=2), "window must be at least 3"),
        (lambda: early_loss(steps=3), "steps must be at least 4"),
    ],
)
def test_options_that_cannot_work_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_forward_pass_of_the_tracker_is_enough_for_the_default_instruments():
    model, x, y = classifier()
    passes = {"test": forward_pass(model, (x, y))}
    assert "representation/nc3/test" in neural_collapse()(StepContext(step=0, model=model, passes=passes))
