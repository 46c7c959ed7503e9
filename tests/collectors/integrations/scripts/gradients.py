"""Loops that do something with gradients on the way: precision, clipping, accumulation, freezing."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from grokscope.collectors import Tracker

ByHand = dict[str, dict[int, float]]


def points(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    return torch.eye(3, 8)[targets] + 0.4 * torch.randn(n, 8, generator=generator), targets


TRAIN, TEST = points(60), points(30, 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


@torch.no_grad()
def accuracy(model: nn.Module) -> float:
    return (model(TEST[0]).argmax(-1) == TEST[1]).float().mean().item()


def norm(tensors) -> float:
    return torch.cat([one.detach().flatten() for one in tensors]).norm().item()


def gradient_norm(model: nn.Module) -> float:
    return norm(p.grad for p in model.parameters() if p.grad is not None)


def clipped_gradients() -> ByHand:
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    by_hand: ByHand = {"gradients/norm": {}, "weights/norm": {}, "norm before clipping": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(1, 7):
            optimizer.zero_grad()
            cross_entropy(model(TRAIN[0]), TRAIN[1]).backward()
            before = nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            tracker.log(step, {"norm before clipping": before})
            optimizer.step()
            by_hand["norm before clipping"][step] = before.item()
            if tracker.due(step):
                tracker.evaluate(step, test=TEST)
                by_hand["gradients/norm"][step] = gradient_norm(model)
                by_hand["weights/norm"][step] = norm(model.parameters())
    return by_hand


def mixed_precision_and_compile() -> ByHand:
    model = network()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.AdamW(compiled.parameters(), lr=0.01)
    by_hand: ByHand = {"train/batch_loss": {}, "test/accuracy": {}}
    with Tracker(compiled, optimizer, experiment="optimizing") as tracker:
        for step in range(4):
            with torch.autocast("cpu", torch.bfloat16):
                loss = cross_entropy(compiled(TRAIN[0]), TRAIN[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step], by_hand["test/accuracy"][step] = loss.item(), accuracy(model)
    return by_hand


def scaled_gradients() -> ByHand:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    by_hand: ByHand = {"gradients/norm": {}, "train/batch_loss": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(1, 6):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = cross_entropy(model(TRAIN[0]), TRAIN[1])
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            by_hand["gradients/norm"][step] = gradient_norm(model)
            scaler.step(optimizer)
            scaler.update()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step] = loss.item()
    return by_hand


def accumulated_gradients() -> ByHand:
    model, parts = network(), 3
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    by_hand: ByHand = {"train/batch_loss": {}, "gradients/norm": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        losses = []
        for batch, begin in enumerate(list(range(0, 60, 10)) * 3, start=1):
            loss = cross_entropy(model(TRAIN[0][begin : begin + 10]), TRAIN[1][begin : begin + 10])
            (loss / parts).backward()
            losses.append(loss.item())
            if batch % parts:
                continue
            optimizer.step()
            step, mean = batch // parts, sum(losses) / parts
            tracker.log(step, {"train/batch_loss": mean})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step], by_hand["gradients/norm"][step] = mean, gradient_norm(model)
            optimizer.zero_grad()
            losses = []
    return by_hand


def a_moving_average_of_weights() -> ByHand:
    model = network()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    by_hand: ByHand = {"test/accuracy": {}, "ema/test/accuracy": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(6):
            optimizer.zero_grad()
            cross_entropy(model(TRAIN[0]), TRAIN[1]).backward()
            optimizer.step()
            average.update_parameters(model)
            tracker.evaluate(step, test=TEST)
            by_hand["test/accuracy"][step] = accuracy(model)
            by_hand["ema/test/accuracy"][step] = accuracy(average)
            tracker.log(step, {"ema/test/accuracy": accuracy(average)})
    return by_hand


def a_part_unfrozen_later() -> ByHand:
    model = network()
    model[0].requires_grad_(False)
    head, body = ({"params": model[i].parameters(), "lr": rate} for i, rate in ((2, 1e-2), (0, 1e-3)))
    optimizer = torch.optim.AdamW([head, body])
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=6)
    by_hand: ByHand = {"lr": {}, "gradients/norm": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(1, 6):
            if step == 3:
                model[0].requires_grad_(True)
            optimizer.zero_grad()
            cross_entropy(model(TRAIN[0]), TRAIN[1]).backward()
            optimizer.step()
            scheduler.step()
            tracker.log(step, {"lr": scheduler.get_last_lr()[0]})
            tracker.evaluate(step, test=TEST)
            by_hand["lr"][step] = scheduler.get_last_lr()[0]
            by_hand["gradients/norm"][step] = gradient_norm(model)
    assert all(a <= b for a, b in pairwise(by_hand["lr"].values()))
    return by_hand


SCRIPTS = (
    clipped_gradients,
    mixed_precision_and_compile,
    scaled_gradients,
    accumulated_gradients,
    a_moving_average_of_weights,
    a_part_unfrozen_later,
)
