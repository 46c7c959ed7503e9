"""Loops whose optimizer is not one plain step: closures, two passes, several optimizers, two modes."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

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


def lbfgs_with_a_closure() -> ByHand:
    model = network()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    by_hand: ByHand = {"train/batch_loss": {}, "test/accuracy": {}}

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(model(TRAIN[0]), TRAIN[1])
        loss.backward()
        return loss

    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(4):
            loss = optimizer.step(closure)
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step], by_hand["test/accuracy"][step] = loss.item(), accuracy(model)
    return by_hand


def two_players() -> ByHand:
    """Train a generator against a critic, each by its own optimizer, both measured as one model."""
    torch.manual_seed(0)
    players = nn.ModuleDict({"generator": nn.Linear(2, 8), "critic": nn.Linear(8, 1)})
    optimizers = [torch.optim.Adam(part.parameters(), lr=0.01) for part in players.values()]
    by_hand: ByHand = {"critic/loss": {}, "generator/loss": {}, "weights/norm": {}}
    with Tracker(players, optimizers, experiment="optimizing") as tracker:
        for step in range(4):
            real, fake = TRAIN[0][:20], players["generator"](torch.randn(20, 2))
            said = [players["critic"](real), players["critic"](fake.detach())]
            critic = sum(
                binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
                for logits, label in zip(said, (1.0, 0.0), strict=True)
            )
            optimizers[1].zero_grad()
            critic.backward()
            optimizers[1].step()
            logits = players["critic"](fake)
            generator = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
            optimizers[0].zero_grad()
            generator.backward()
            optimizers[0].step()
            tracker.log(step, {"critic/loss": critic, "generator/loss": generator})
            tracker.evaluate(step)
            by_hand["critic/loss"][step], by_hand["generator/loss"][step] = critic.item(), generator.item()
            by_hand["weights/norm"][step] = norm(players.parameters())
    return by_hand


def an_optimizer_for_each_layer() -> ByHand:
    model = network()
    optimizers = [torch.optim.SGD(model[i].parameters(), lr=rate) for i, rate in ((0, 0.1), (2, 0.5))]
    by_hand: ByHand = {"gradients/norm": {}, "test/accuracy": {}}
    with Tracker(model, optimizers, experiment="optimizing") as tracker:
        for step in range(1, 5):
            for optimizer in optimizers:
                optimizer.zero_grad()
            cross_entropy(model(TRAIN[0]), TRAIN[1]).backward()
            for optimizer in optimizers:
                optimizer.step()
            tracker.evaluate(step, test=TEST)
            by_hand["gradients/norm"][step], by_hand["test/accuracy"][step] = (
                gradient_norm(model),
                accuracy(model),
            )
    return by_hand


class SAM(torch.optim.Optimizer):
    """Sharpness-aware minimization around SGD: up the gradient first, then a step from where it began."""

    def __init__(self, params, lr: float, rho: float) -> None:
        super().__init__(params, {"lr": lr, "rho": rho})
        self.base = torch.optim.SGD(self.param_groups, lr=lr)

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        loss = closure()
        for group in self.param_groups:
            whole = torch.stack([p.grad.norm() for p in group["params"]]).norm()
            self.ups = [p.grad * group["rho"] / whole for p in group["params"]]
            torch._foreach_add_(group["params"], self.ups)
        closure()
        for group in self.param_groups:
            torch._foreach_sub_(group["params"], self.ups)
        self.base.step()
        return loss


def sharpness_aware() -> ByHand:
    model = network()
    optimizer = SAM(model.parameters(), lr=0.2, rho=0.05)
    by_hand: ByHand = {"train/batch_loss": {}, "test/accuracy": {}, "weights/norm": {}}

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(model(TRAIN[0]), TRAIN[1])
        loss.backward()
        return loss

    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(4):
            loss = optimizer.step(closure)
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step], by_hand["test/accuracy"][step] = loss.item(), accuracy(model)
            by_hand["weights/norm"][step] = norm(model.parameters())
    return by_hand


class ScheduleFree(torch.optim.Optimizer):
    """Schedule-free SGD: ``train`` puts weights between average and iterate, ``eval`` at the average."""

    def __init__(self, params, lr: float) -> None:
        super().__init__(params, {"lr": lr, "count": 0})
        for p in (p for group in self.param_groups for p in group["params"]):
            self.state[p] = {"z": p.detach().clone(), "x": p.detach().clone()}

    @torch.no_grad()
    def put(self, share: float) -> None:
        for p, state in self.state.items():
            p.copy_(share * state["x"] + (1 - share) * state["z"])

    def train(self) -> None:
        self.put(0.9)

    def eval(self) -> None:
        self.put(1.0)

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            group["count"] += 1
            for p in group["params"]:
                state = self.state[p]
                state["z"] -= group["lr"] * p.grad
                state["x"] += (state["z"] - state["x"]) / group["count"]
        self.train()


def schedule_free() -> ByHand:
    model = network()
    optimizer = ScheduleFree(model.parameters(), lr=0.5)
    by_hand: ByHand = {"test/accuracy": {}, "weights/norm": {}}
    with Tracker(model, optimizer, experiment="optimizing") as tracker:
        for step in range(1, 6):
            optimizer.train()
            optimizer.zero_grad()
            cross_entropy(model(TRAIN[0]), TRAIN[1]).backward()
            optimizer.step()
            if tracker.due(step):
                optimizer.eval()
                tracker.evaluate(step, test=TEST)
                by_hand["test/accuracy"][step] = accuracy(model)
                by_hand["weights/norm"][step] = norm(state["x"] for state in optimizer.state.values())
    return by_hand


SCRIPTS = (
    lbfgs_with_a_closure,
    two_players,
    an_optimizer_for_each_layer,
    sharpness_aware,
    schedule_free,
)
