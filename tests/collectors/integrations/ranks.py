"""Two processes that train one model; what is printed tells what each opened and logged.

They are forked before torch has done anything, so that it is imported once.
"""

import json
import multiprocessing
import os
import socket
import sys
import traceback
import warnings

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Tracker, tracker
from grokscope.collectors.integrations.lightning import GrokscopeCallback
from grokscope.collectors.testing import MemorySink

RANKS, STEPS = 2, 4
GENERATOR = torch.Generator().manual_seed(1)
TARGETS = torch.arange(24) % 3
INPUTS = torch.eye(3, 8)[TARGETS] + 0.4 * torch.randn(24, 8, generator=GENERATOR)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


def data_parallel(rank: int) -> None:
    train(DistributedDataParallel(network()), rank)


def sharded(rank: int) -> None:
    model, mesh = network(), init_device_mesh("cpu", (RANKS,))
    for part in (model[0], model):  # the outermost one holds the last layer, as that of transformers its head
        fully_shard(part, mesh=mesh)
    train(model, rank)


def train(model: nn.Module, rank: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with Tracker(model, optimizer, experiment="ranks") as tracker:
        for step in range(1, STEPS + 1):
            loss = cross_entropy(model(INPUTS[rank::RANKS]), TARGETS[rank::RANKS])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, test=(INPUTS, TARGETS))


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        loss = cross_entropy(self(batch[0]), batch[1])
        self.log("mean over ranks", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


def lightning(rank: int) -> None:
    callback = GrokscopeCallback({"test": (INPUTS, TARGETS)}, experiment="ranks")
    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = pl.Trainer(
        strategy=DDPStrategy(process_group_backend="gloo"),
        accelerator="cpu",
        devices=RANKS,
        max_epochs=STEPS,
        use_distributed_sampler=False,
        callbacks=[callback],
        **dict.fromkeys(off, False),
    )
    mine = TensorDataset(INPUTS[rank::RANKS], TARGETS[rank::RANKS])
    trainer.fit(Module(), DataLoader(mine, batch_size=len(mine)))


def by_hand() -> dict[str, dict[int, float]]:
    """Train the whole in one process; the first rank's loss is that of its half."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    found = {key: {} for key in ("train/batch_loss", "test/loss", "gradients/norm", "whole loss")}
    for step in range(1, STEPS + 1):
        losses = [cross_entropy(model(INPUTS[r::RANKS]), TARGETS[r::RANKS]) for r in range(RANKS)]
        optimizer.zero_grad()
        (sum(losses) / RANKS).backward()
        optimizer.step()
        found["train/batch_loss"][step] = losses[0].item()
        found["whole loss"][step] = sum(losses).item() / RANKS
        found["gradients/norm"][step] = (
            torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
        )
        with torch.no_grad():
            found["test/loss"][step] = cross_entropy(model(INPUTS), TARGETS).item()
    return found


def run_rank(rank: int, port: int, answers: "multiprocessing.SimpleQueue[object]") -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": str(RANKS),
        "LOCAL_RANK": str(rank), "NODE_RANK": "0",
    }  # fmt: skip
    torch.distributed.init_process_group("gloo", rank=rank, world_size=RANKS)
    found = {}
    for script in (data_parallel, sharded, lightning):
        opened: list[MemorySink] = []

        def open_sink(*_: object, opened: list[MemorySink] = opened, **__: object) -> MemorySink:
            opened.append(MemorySink())
            return opened[-1]

        tracker.open_sink = open_sink
        script(rank)
        found[script.__name__] = [(sink.status, sink.rows()) for sink in opened]
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    answers.put((rank, found))


def answer(rank: int, port: int, answers: "multiprocessing.SimpleQueue[object]") -> None:
    try:
        run_rank(rank, port, answers)
    except BaseException:
        answers.put((rank, traceback.format_exc()))
        raise


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    ranks = [fork.Process(target=answer, args=(rank, port, answers)) for rank in range(RANKS)]
    for rank in ranks:
        rank.start()
    found = dict(answers.get() for _ in ranks)  # before they are joined: a pipe holds little
    for rank in ranks:
        rank.join()
    json.dump({"ranks": [found[rank] for rank in range(RANKS)], "by_hand": by_hand()}, sys.stdout)


if __name__ == "__main__":
    main()
