"""Loops as people write them by hand; each gives what it computed itself: key -> step -> value."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from torch.utils.data import DataLoader, Subset, TensorDataset

from grokscope.collectors import Tracker

ByHand = dict[str, dict[int, float]]


def points(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    return torch.eye(3, 8)[targets] + 0.4 * torch.randn(n, 8, generator=generator), targets


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


@torch.no_grad()
def scores(model: nn.Module, data: tuple[Tensor, Tensor]) -> tuple[float, float]:
    logits = model(data[0])
    return cross_entropy(logits, data[1]).item(), (logits.argmax(-1) == data[1]).float().mean().item()


def epochs_with_loaders() -> ByHand:
    train, test = TensorDataset(*points(60)), points(30, 2)
    loader, held_out = DataLoader(train, batch_size=16, shuffle=True), DataLoader(TensorDataset(*test), 8)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    by_hand: ByHand = {"train/batch_loss": {}, "test/loss": {}, "test/accuracy": {}, "val_acc": {}}
    step = 0
    with Tracker(model, optimizer, experiment="loops", config={"lr": 0.01}) as tracker:
        for _ in range(3):
            model.train()
            for inputs, targets in loader:
                loss = cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                tracker.log(step, {"train/batch_loss": loss})
                by_hand["train/batch_loss"][step] = loss.item()
                if tracker.due(step):
                    tracker.evaluate(step, test=held_out)
                    by_hand["test/loss"][step], by_hand["test/accuracy"][step] = scores(model, test)
            model.eval()
            accuracy = scores(model, test)[1]
            tracker.log(step, {"val_acc": accuracy})
            by_hand["val_acc"][step] = accuracy
    return by_hand


def early_stopping() -> ByHand:
    train, test = points(60), points(30, 2)
    model, best, waited, state = network(), math.inf, 0, {}
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
    by_hand: ByHand = {"val_loss": {}}
    with Tracker(model, optimizer, experiment="loops") as tracker:
        for epoch in range(1, 100):
            optimizer.zero_grad()
            cross_entropy(model(train[0]), train[1]).backward()
            optimizer.step()
            val_loss = scores(model, test)[0]
            tracker.log(epoch, {"val_loss": val_loss})
            by_hand["val_loss"][epoch] = val_loss
            waited = 0 if val_loss < best else waited + 1
            if val_loss < best:
                best, state = val_loss, copy.deepcopy(model.state_dict())
            if waited == 3:
                break
        model.load_state_dict(state)
        tracker.evaluate(epoch, test=test)
        by_hand["test/loss"] = {epoch: best}
    assert epoch < 99
    return by_hand


def resumed_from_a_checkpoint() -> ByHand:
    train = points(60)
    by_hand: ByHand = {"train/batch_loss": {}}
    saved: dict[str, object] = {}
    for begin, end in ((0, 10), (8, 20)):  # the crash cost two steps
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        if saved:
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
        tracker = Tracker(model, optimizer, experiment="loops", run_id=saved.get("run_id"))
        for step in range(begin, end):
            if step == 8 and not saved:
                states = copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
                saved = states | {"run_id": tracker.run_id}
            loss = cross_entropy(model(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            by_hand["train/batch_loss"][step] = loss.item()
        tracker.close()
    return by_hand


def folds() -> list[ByHand]:
    data, found = TensorDataset(*points(60)), []
    for fold in range(3):
        held_out = set(range(fold, 60, 3))
        part = DataLoader(Subset(data, sorted(set(range(60)) - held_out)), batch_size=20)
        test = tuple(torch.stack(column) for column in zip(*(data[i] for i in sorted(held_out)), strict=True))
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        config = {"group": "cv", "seed": fold}
        with Tracker(model, optimizer, experiment="loops", config=config) as tracker:
            for inputs, targets in part:
                optimizer.zero_grad()
                cross_entropy(model(inputs), targets).backward()
                optimizer.step()
            tracker.evaluate(2, test=test)
        loss, accuracy = scores(model, test)
        found.append({"test/loss": {2: loss}, "test/accuracy": {2: accuracy}})
    return found


def rewards_only() -> ByHand:
    """Learn a two-armed bandit by REINFORCE; there is no data to evaluate on."""
    torch.manual_seed(0)
    preferences = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([preferences], lr=0.2)
    by_hand: ByHand = {"episode/reward": {}, "entropy": {}}
    with Tracker(experiment="loops", config={"algorithm": "reinforce"}) as tracker:
        for episode in range(30):
            policy = torch.distributions.Categorical(logits=preferences)
            action = policy.sample()
            reward = float(action.item() == 1)
            optimizer.zero_grad()
            (-policy.log_prob(action) * reward).backward()
            optimizer.step()
            tracker.log(episode, {"episode/reward": reward, "entropy": policy.entropy()})
            by_hand["episode/reward"][episode] = reward
            by_hand["entropy"][episode] = policy.entropy().item()
    return by_hand


def distillation() -> ByHand:
    train, test = points(60), points(30, 2)
    teacher, student = network().eval(), nn.Linear(8, 3)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    by_hand: ByHand = {"train/batch_loss": {}, "train/kd_loss": {}, "test/accuracy": {}}
    with Tracker(student, optimizer, experiment="loops") as tracker:
        for step in range(5):
            with torch.no_grad():
                soft = softmax(teacher(train[0]) / 2, dim=-1)
            kd_loss = 4 * kl_div(log_softmax(student(train[0]) / 2, dim=-1), soft, reduction="batchmean")
            loss = 0.5 * kd_loss + 0.5 * cross_entropy(student(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss, "train/kd_loss": kd_loss})
            tracker.evaluate(step, test=test)
            by_hand["train/batch_loss"][step], by_hand["train/kd_loss"][step] = loss.item(), kd_loss.item()
            by_hand["test/accuracy"][step] = scores(student, test)[1]
    return by_hand


def notebook_cells() -> list[ByHand]:
    """Run cells in one namespace, the training cell twice, without a with block."""
    space: dict[str, object] = {"points": points, "network": network}
    cells = {
        "import": "import torch; from torch.nn.functional import cross_entropy\n"
        "from grokscope.collectors import Tracker",
        "data": "inputs, targets = points(60)",
        "model": "model = network(); optimizer = torch.optim.SGD(model.parameters(), lr=0.5); losses = []\n"
        "tracker = Tracker(model, optimizer, experiment='loops')",
        "train": """
for step in range(5):
    loss = cross_entropy(model(inputs), targets)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    tracker.log(step, {"train/batch_loss": loss})
    losses.append(loss.item())
tracker.close()""",
    }
    found = []
    for name in ("import", "data", "model", "train", "model", "train"):
        exec(compile(cells[name], f"<cell {name}>", "exec"), space)
        if name == "train":
            found.append({"train/batch_loss": dict(enumerate(space["losses"]))})
    return found


SCRIPTS = (
    epochs_with_loaders,
    early_stopping,
    resumed_from_a_checkpoint,
    folds,
    rewards_only,
    distillation,
    notebook_cells,
)
