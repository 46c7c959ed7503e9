"""Models and loops that other people's objects hold: Fabric, engines, estimators, parallel and functional."""

from collections.abc import Callable

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring, Tracker

ByHand = dict[str, dict[int, float]]


def points(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    return torch.eye(3, 8)[targets] + 0.4 * torch.randn(n, 8, generator=generator), targets


TRAIN, TEST = points(50), points(30, 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


def loader() -> DataLoader:
    return DataLoader(TensorDataset(*TRAIN), batch_size=20)


@torch.no_grad()
def scores(model: nn.Module) -> tuple[float, float]:
    logits = model.eval()(TEST[0])
    model.train()
    return cross_entropy(logits, TEST[1]).item(), (logits.argmax(-1) == TEST[1]).float().mean().item()


def norm(tensors) -> float:
    return torch.cat([one.detach().flatten() for one in tensors]).norm().item()


def gradient_norm(model: nn.Module) -> float:
    return norm(p.grad for p in model.parameters())


def fabric_with_clipping() -> ByHand:
    fabric, own = Fabric(accelerator="cpu", devices=1), network()
    model, optimizer = fabric.setup(own, torch.optim.AdamW(own.parameters(), lr=0.01))
    batches = fabric.setup_dataloaders(loader())
    by_hand: ByHand = {"train/batch_loss": {}, "gradients/norm": {}, "test/loss": {}, "progress/examples": {}}
    by_hand["weights/norm/0"] = {}
    step = seen = 0
    with Tracker(model, optimizer, experiment="wrapped") as tracker:
        for _ in range(2):
            for inputs, targets in batches:
                tracker.seen((inputs, targets))
                loss = cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                fabric.backward(loss)
                fabric.clip_gradients(model, optimizer, max_norm=0.3)
                by_hand["gradients/norm"][step + 1] = gradient_norm(own)
                optimizer.step()
                step, seen = step + 1, seen + len(inputs)
                tracker.log(step, {"train/batch_loss": loss})
                tracker.evaluate(step, test=TEST)
                by_hand["train/batch_loss"][step], by_hand["progress/examples"][step] = loss.item(), seen
                by_hand["test/loss"][step] = scores(own)[0]
                by_hand["weights/norm/0"][step] = norm(own[0].parameters())
    return by_hand


class Engine:
    """Calls a function for each batch, and handlers at events, as Ignite does."""

    def __init__(self, process: Callable[["Engine", object], dict[str, float]]) -> None:
        self.process = process
        self.handlers: dict[str, list[Callable[[Engine], None]]] = {}
        self.iteration = 0

    def on(self, event: str) -> Callable[[Callable[["Engine"], None]], None]:
        return self.handlers.setdefault(event, []).append

    def fire(self, event: str) -> None:
        for handler in self.handlers.get(event, ()):
            handler(self)

    def run(self, batches: DataLoader, epochs: int) -> None:
        for _ in range(epochs):
            for batch in batches:
                self.iteration += 1
                self.output = self.process(self, batch)
                self.fire("iteration")
            self.fire("epoch")
        self.fire("completed")


def handlers_of_an_engine() -> ByHand:
    model, seen = network(), 0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    by_hand: ByHand = {"train/batch_loss": {}, "val/loss": {}, "val/accuracy": {}, "progress/epochs": {}}
    measuring = Measuring(dataset_examples=50)
    tracker = Tracker(model, optimizer, experiment="wrapped", measuring=measuring)

    def update(_: Engine, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        optimizer.zero_grad()
        loss = cross_entropy(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return {"loss": loss.item(), "size": len(batch[0])}

    engine = Engine(update)

    @engine.on("iteration")
    def _(engine: Engine) -> None:
        nonlocal seen
        seen += engine.output["size"]
        tracker.seen(examples=engine.output["size"])
        tracker.log(engine.iteration, {"train/batch_loss": engine.output["loss"]})
        by_hand["train/batch_loss"][engine.iteration] = engine.output["loss"]
        by_hand["progress/epochs"][engine.iteration] = seen / 50

    @engine.on("epoch")
    def _(engine: Engine) -> None:
        tracker.evaluate(engine.iteration, validation=DataLoader(TensorDataset(*TEST), batch_size=7))
        at = engine.iteration
        by_hand["val/loss"][at], by_hand["val/accuracy"][at] = scores(model)

    engine.on("completed")(lambda _: tracker.close())
    engine.run(loader(), 3)
    return by_hand


class Estimator:
    """Fits arrays and tells callbacks of it, as skorch's nets do."""

    def __init__(self, module: Callable[[], nn.Module], callback: object) -> None:
        self.module, self.callback = module, callback

    def fit(self, inputs, targets) -> None:
        self.module_ = self.module()
        self.optimizer_ = torch.optim.SGD(self.module_.parameters(), lr=0.5)
        self.callback.on_train_begin(self)
        for step, begin in enumerate(range(0, len(inputs), 20), start=1):
            batch = inputs[begin : begin + 20], targets[begin : begin + 20]
            self.optimizer_.zero_grad()
            loss = cross_entropy(self.module_(torch.as_tensor(batch[0])), torch.as_tensor(batch[1]).long())
            loss.backward()
            self.optimizer_.step()
            self.callback.on_batch_end(self, step, batch, loss.item())
        self.callback.on_train_end(self)


def an_estimator_of_arrays() -> ByHand:
    by_hand: ByHand = {"train/batch_loss": {}, "test/loss": {}, "test/accuracy": {}}
    test = TEST[0].numpy(), TEST[1].numpy().astype("int32")

    class Tracking:
        def on_train_begin(self, net: Estimator) -> None:
            self.tracker = Tracker(net.module_, net.optimizer_, experiment="wrapped")

        def on_batch_end(self, net: Estimator, step: int, batch: object, loss: float) -> None:
            self.tracker.seen(batch)
            self.tracker.log(step, {"train/batch_loss": loss})
            self.tracker.evaluate(step, test=test)
            by_hand["train/batch_loss"][step] = loss
            by_hand["test/loss"][step], by_hand["test/accuracy"][step] = scores(net.module_)

        def on_train_end(self, _: Estimator) -> None:
            self.tracker.close()

    Estimator(network, Tracking()).fit(TRAIN[0].numpy(), TRAIN[1].numpy().astype("int32"))
    return by_hand | {"progress/examples": {1: 20.0, 2: 40.0, 3: 50.0}}


class Checkpointed(nn.Module):
    """Forgets what is inside its blocks and computes it again for the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.2)) for _ in range(2)
        )
        self.head = nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        for block in self.blocks:
            inputs = checkpoint(block, inputs, use_reentrant=False) if self.training else block(inputs)
        return self.head(inputs)


def checkpointed_activations_in_parallel() -> ByHand:
    own = Checkpointed()
    model = nn.DataParallel(own)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    by_hand: ByHand = {"train/batch_loss": {}, "test/loss": {}, "gradients/norm": {}, "weights/norm/head": {}}
    with Tracker(model, optimizer, experiment="wrapped") as tracker:
        for step in range(1, 5):
            optimizer.zero_grad()
            loss = cross_entropy(model(TRAIN[0]), TRAIN[1])
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step], by_hand["gradients/norm"][step] = (
                loss.item(),
                gradient_norm(own),
            )
            by_hand["test/loss"][step] = scores(own)[0]
            by_hand["weights/norm/head"][step] = norm(own.head.parameters())
    return by_hand


def parameters_apart_from_their_module() -> ByHand:
    """Train a dictionary of parameters by ``torch.func``; they are put into the module to be measured."""
    model = network()
    params = {name: value.detach().clone() for name, value in model.named_parameters()}
    by_hand: ByHand = {"train/batch_loss": {}, "test/loss": {}, "weights/norm": {}}

    def loss_of(params: dict[str, Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(functional_call(model, params, (inputs,)), targets)

    with Tracker(model, experiment="wrapped") as tracker:
        for step in range(1, 6):
            gradients, loss = grad_and_value(loss_of)(params, *TRAIN)
            params = {name: value - 0.3 * gradients[name] for name, value in params.items()}
            tracker.log(step, {"train/batch_loss": loss})
            model.load_state_dict(params)
            tracker.evaluate(step, test=TEST)
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["test/loss"][step] = loss_of(params, *TEST).item()
            by_hand["weights/norm"][step] = norm(params.values())
    return by_hand


SCRIPTS = (
    fabric_with_clipping,
    handlers_of_an_engine,
    an_estimator_of_arrays,
    checkpointed_activations_in_parallel,
    parameters_apart_from_their_module,
)
