"""grokscope with FSDP2: every rank holds a shard, all measure together, and the first one logs the whole.

python examples/fsdp2.py, then: grokscope up
"""

import os
import socket
import sys
from multiprocessing import get_context

import torch
from torch import nn
from torch.distributed import barrier, destroy_process_group, init_process_group
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker

RANKS = 4


def points(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy points around ten centres."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    return centres[targets] + 0.5 * torch.randn(n, 16, generator=torch.Generator().manual_seed(seed)), targets


def train_rank(rank: int, port: int) -> None:
    """Train on this rank's part of the data, with this rank's part of the model."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    init_process_group("gloo", rank=rank, world_size=RANKS)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    train, test = points(480, 1), points(200, 2)
    mine = tuple(part[rank::RANKS] for part in train)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
    mesh = init_device_mesh("cpu", (RANKS,))
    for part in (model[0], model[2], model):
        fully_shard(part, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with Tracker(model, optimizer, experiment="examples", config={"group": "fsdp2"}) as tracker:
        for step in range(60):
            loss = cross_entropy(model(mine[0]), mine[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=train, test=test)
    barrier()  # a rank that leaves while a thread of gloo still holds its last work may be aborted by torch
    destroy_process_group()


def main() -> None:
    """Start the ranks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = [get_context("spawn").Process(target=train_rank, args=(rank, port)) for rank in range(RANKS)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    sys.exit(any(rank.exitcode for rank in ranks))


if __name__ == "__main__":
    main()
