"""Loops that evaluate in their own way: averages of weights, mixed targets, generated answers, sweeps."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, mse_loss
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset
from transformers import GPT2Config, GPT2LMHeadModel

from grokscope.collectors import Measuring, Tracker

ByHand = dict[str, dict[int, float]]


def points(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    return torch.eye(3, 8)[targets] + 0.4 * torch.randn(n, 8, generator=generator), targets


TRAIN, TEST = points(60), points(30, 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


@torch.no_grad()
def loss_of(model: nn.Module) -> float:
    loss = cross_entropy(model.eval()(TEST[0]), TEST[1]).item()
    model.train()
    return loss


def norm(tensors) -> float:
    return torch.cat([one.detach().flatten() for one in tensors]).norm().item()


def averaged_weights_as_a_run_of_their_own() -> list[ByHand]:
    model = network()
    average, optimizer = AveragedModel(model), torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    scheduler, loader = SWALR(optimizer, swa_lr=0.05), DataLoader(TensorDataset(*TRAIN), batch_size=20)
    own: ByHand = {"train/batch_loss": {}, "test/loss": {}}
    averaged: ByHand = {"test/loss": {}, "weights/norm": {}}
    raw, smooth = Tracker(model, optimizer, experiment="e"), Tracker(average, experiment="e")
    for epoch in range(3):
        for index, (inputs, targets) in enumerate(loader, start=1):
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            step = epoch * len(loader) + index
            raw.log(step, {"train/batch_loss": loss})
            own["train/batch_loss"][step] = loss.item()
        average.update_parameters(model)
        scheduler.step()
        update_bn(loader, average)
        raw.evaluate(step, test=TEST)
        smooth.evaluate(step, test=TEST)
        own["test/loss"][step], averaged["test/loss"][step] = loss_of(model), loss_of(average)
        averaged["weights/norm"][step] = norm(average.module.parameters())
    raw.close()
    smooth.close()
    return [own, averaged]


def mixed_soft_targets() -> ByHand:
    """Mix inputs and smoothed labels in pairs, as timm does; held-out labels are class indices."""
    model, generator = network(), torch.Generator().manual_seed(3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    smoothed = 0.9 * torch.eye(3)[TRAIN[1]] + 0.1 / 3
    by_hand: ByHand = {"train/batch_loss": {}, "train/loss": {}, "train/accuracy": {}, "test/loss": {}}

    def soft_loss(logits: Tensor, targets: Tensor) -> Tensor:
        return -(targets * log_softmax(logits, dim=-1)).sum(-1).mean()

    measuring = Measuring(loss="cross_entropy")
    with Tracker(model, optimizer, experiment="e", measuring=measuring) as tracker:
        for step in range(5):
            share, order = torch.rand((), generator=generator), torch.randperm(60, generator=generator)
            mixed = tuple(share * part + (1 - share) * part[order] for part in (TRAIN[0], smoothed))
            optimizer.zero_grad()
            loss = soft_loss(model(mixed[0]), mixed[1])
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, train=mixed, test=TEST)
            with torch.no_grad():
                logits = model.eval()(mixed[0])
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["train/loss"][step] = soft_loss(logits, mixed[1]).item()
            right = logits.argmax(-1) == mixed[1].argmax(-1)
            by_hand["train/accuracy"][step], by_hand["test/loss"][step] = (
                right.float().mean().item(),
                loss_of(model),
            )
    return by_hand


def generation_beside_the_loss() -> ByHand:
    """Measure whole answers that the model generates, by a function of the user's own."""
    torch.manual_seed(0)
    size = GPT2Config(vocab_size=11, n_positions=8, n_embd=16, n_layer=1, n_head=2, eos_token_id=10)
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    size.update(still)
    model, tokens = GPT2LMHeadModel(size), torch.stack([torch.arange(i, i + 8) % 10 for i in range(6)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    by_hand: ByHand = {"train/batch_loss": {}, "val/loss": {}, "val/whole_answers": {}}

    def whole_answers(model: nn.Module) -> float:
        said = model.generate(tokens[:, :4], max_new_tokens=4, do_sample=False, pad_token_id=10)
        return (nn.functional.pad(said, (0, 8 - said.shape[1]))[:, 4:] == tokens[:, 4:]).all(-1).sum().item()

    def measure(context: object) -> dict[str, float]:
        return {"val/whole_answers": whole_answers(context.model)}

    options = {"measures": [measure], "measuring": Measuring(causal=True, budget=1e9)}
    with Tracker(model, optimizer, experiment="e", **options) as tracker:
        for step in range(0, 12, 3):
            for _ in range(3):
                loss = model(tokens, labels=tokens).loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, val={"input_ids": tokens, "labels": tokens})
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["val/whole_answers"][step] = whole_answers(model)
            by_hand["val/loss"][step] = model(tokens, labels=tokens).loss.item()
    assert by_hand["val/whole_answers"][9] > by_hand["val/whole_answers"][0]
    return by_hand


class Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(9, 16), nn.SiLU(), nn.Linear(16, 8))

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        return self.net(torch.cat([noisy, time[:, None]], -1))


def noise_that_is_predicted() -> ByHand:
    """Train a denoiser of two inputs, whose held-out noise and times are drawn once."""
    model, generator = Denoiser(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    by_hand: ByHand = {"train/batch_loss": {}, "val/loss": {}}

    def drawn(inputs: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        time, noise = (
            torch.rand(len(inputs), generator=generator),
            torch.randn(inputs.shape, generator=generator),
        )
        return (torch.lerp(inputs, noise, time[:, None]), time), noise

    held_out = drawn(TEST[0])
    with Tracker(model, optimizer, experiment="e", measuring=Measuring(loss="mse")) as tracker:
        for step in range(1, 5):
            inputs, noise = drawn(TRAIN[0])
            loss = mse_loss(model(*inputs), noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, val=held_out)
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["val/loss"][step] = mse_loss(model(*held_out[0]), held_out[1]).item()
    return by_hand


def a_sweep_that_starts_one_model_anew() -> list[ByHand]:
    model, found = network(), []
    start = copy.deepcopy(model.state_dict())
    for rate, decay in ((0.1, 0.0), (0.1, 0.01), (0.3, 0.0)):
        model.load_state_dict(start)
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
        tracker = Tracker(model, optimizer, experiment="e", config={"lr": rate, "weight_decay": decay})
        by_hand: ByHand = {"train/batch_loss": {}, "gradients/norm": {}, "weights/distance_from_init": {}}
        for step in range(1, 4):
            optimizer.zero_grad()
            loss = cross_entropy(model(TRAIN[0]), TRAIN[1])
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["gradients/norm"][step] = norm(p.grad for p in model.parameters())
            moved = [p - start[name] for name, p in model.named_parameters()]
            by_hand["weights/distance_from_init"][step] = norm(moved)
        tracker.close()
        found.append(by_hand)
    return found


SCRIPTS = (
    averaged_weights_as_a_run_of_their_own,
    mixed_soft_targets,
    generation_beside_the_loss,
    noise_that_is_predicted,
    a_sweep_that_starts_one_model_anew,
)
