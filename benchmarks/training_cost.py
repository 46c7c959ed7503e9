"""What measuring adds to training: our tracker beside other tools, in one run.

    python benchmarks/training_cost.py [--rounds 4] [--gpt2-layers 12]

The demo's MLP, the worst case, is trained twice at once, with a tool and without, by turns of 25 steps: a
machine that slows down slows both, and "nothing" tells what is left of that. A model of GPT-2 small's shape
takes too long for that on a CPU: there the bare step and what a reading of each tool adds are timed, and the
share is what the log-spaced schedule makes of them over a run of 10,000 steps.

On a CPU the clock is the processor time of the training process with all its threads, which neighbours on the
machine hardly touch; what the tools' own processes use beside it (our shipper, wandb's service) is not in it.
"""

import argparse
import logging
import shutil
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import wandb
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.tensorboard import SummaryWriter
from training_tools import FOLDER, TOOLS, After, Split, Splits, Tool, histograms

from grokscope.collectors import Tracker, log_spaced
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.models.pairs import PairsMLP

TURN = 25
"""Steps that one of two trainings makes before the other goes on."""


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: Split, steps: Iterable[int], after: After
) -> float:
    """Return the seconds of some steps of training."""
    began = time.process_time()
    for step in steps:
        optimizer.zero_grad()
        loss = cross_entropy(model(data[0]).flatten(0, -2), data[1].flatten())
        loss.backward()
        optimizer.step()
        after(step, loss)
    return time.process_time() - began


def demo(seed: int) -> tuple[nn.Module, torch.optim.Optimizer, Splits]:
    """Build the demo's model and data."""
    torch.manual_seed(seed)
    model = PairsMLP(47, 48, 128)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1.0, betas=(0.9, 0.98))
    return model, optimizer, operation_table("x+y", 47, 0.5, seed)


def paired(tool: Tool, seed: int, steps: int) -> tuple[float, float]:
    """Return the seconds of training without a tool and with it, by turns."""
    bare, watched = demo(seed), demo(seed)
    without = with_tool = 0.0
    with tool(*watched, steps) as after:
        for start in range(0, steps, TURN):
            turn = range(start, min(start + TURN, steps))
            without += train(*bare[:2], bare[2][0], turn, lambda *_: None)
            with_tool += train(*watched[:2], watched[2][0], turn, after)
    return without, with_tool


def bench_demo(rounds: int, steps: int) -> None:
    """Print what each tool adds to the demo's training."""
    readings = sum(log_spaced()(step) for step in range(steps))
    found = {name: [paired(tool, seed, steps) for seed in range(rounds)] for name, tool in TOOLS.items()}
    print(f"\n### The demo's MLP, {steps} steps, {readings} readings ({rounds} rounds by turns)\n")
    print("| tool | adds, % of training time [min, max] | ms a reading |")
    print("|---|---|---|")
    for name, pairs in found.items():
        shares = [100 * (watched / bare - 1) for bare, watched in pairs]
        added = statistics.median(watched - bare for bare, watched in pairs)
        print(
            f"| {name} | {statistics.median(shares):.1f} [{min(shares):.1f}, {max(shares):.1f}] "
            f"| {added / readings * 1e3:.2f} |"
        )
    every = [bare for pairs in found.values() for bare, _ in pairs]
    print(f"\nA bare step: {statistics.median(every) / steps * 1e3:.2f} ms.")


class Gpt2Shaped(nn.Module):
    """Logits [N, T, 50257] from tokens [N, T]; width 768, 12 heads, embedding tied, as in GPT-2 small."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(50257, 768), nn.Embedding(1024, 768)
        block = nn.TransformerEncoderLayer(
            768, 12, 3072, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, layers, enable_nested_tensor=False)
        self.head = nn.Linear(768, 50257, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of every next token."""
        length = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=tokens.device)
        states = self.tokens(tokens) + self.places.weight[:length]
        return self.head(self.blocks(states, mask=mask, is_causal=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds of a bare and a watched step, of the first and a later evaluation, and of a logged scalar."""

    bare: float
    watched: float
    first: float
    later: float
    logged: float


def timer(device: str) -> Callable[[Callable[[], object]], float]:
    """Give the function that times a piece of work to its end on the device."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    clock = time.perf_counter if device == "cuda" else time.process_time

    def timed(work: Callable[[], object]) -> float:
        wait()
        began = clock()
        work()
        wait()
        return clock() - began

    return timed


def part_costs(model: nn.Module, data: Split, device: str) -> Costs:
    """Time the parts of a tracked run."""
    optimizer, timed = torch.optim.AdamW(model.parameters(), lr=1e-4), timer(device)

    def step() -> None:
        train(model, optimizer, data, range(1), lambda *_: None)

    step()
    bare = statistics.median(timed(step) for _ in range(5))
    with Tracker(model, optimizer, experiment="bench", store=f"sqlite:///{FOLDER}/ours.db") as tracker:
        first = timed(lambda: tracker.evaluate(0, train=data, test=data))
        watched, later = [], []
        for number in range(1, 4):
            tracker.due(number)
            watched.append(timed(step))
            later.append(timed(lambda n=number: tracker.evaluate(n, train=data, test=data)))
        logged = [timed(lambda n=n: tracker.log(n, {"train/batch_loss": 1.0})) for n in range(99)]
    middle = statistics.median
    return Costs(bare=bare, watched=middle(watched), first=first, later=middle(later), logged=middle(logged))


def reading_of_others(model: nn.Module, data: Split, device: str) -> dict[str, float]:
    """Return the seconds that one reading of the other tools adds to a step."""
    optimizer, timed = torch.optim.AdamW(model.parameters(), lr=1e-4), timer(device)

    def step() -> None:
        train(model, optimizer, data, range(1), lambda *_: None)

    step()
    bare = statistics.median(timed(step) for _ in range(3))
    with SummaryWriter(FOLDER / "tensorboard") as writer:
        drawn = timed(lambda: histograms(writer, model, 0))
    with wandb.init(project="bench", mode="offline", dir=FOLDER) as run:
        run.watch(model, log="all", log_freq=1)

        def watched_step() -> None:
            step()
            run.log({"loss": 0.0})

        watched_step()
        watched = statistics.median(timed(watched_step) for _ in range(3))
        run.unwatch(model)
    return {"wandb.watch": max(0.0, watched - bare), "TensorBoard histograms": drawn}


def bench_gpt2(layers: int, device: str, steps: int = 10_000) -> None:
    """Print what each tool adds to a run of a model of GPT-2 small's shape, by its parts."""
    torch.manual_seed(0)
    model = Gpt2Shaped(layers).to(device)
    batch = (8, 512) if device == "cuda" else (2, 64)
    tokens = torch.randint(50257, (batch[0], batch[1] + 1), device=device)
    data = (tokens[:, :-1], tokens[:, 1:])
    costs = part_costs(model, data, device)
    others = reading_of_others(model, data, device)
    million = sum(p.numel() for p in model.parameters()) / 1e6
    readings = sum(log_spaced()(n) for n in range(steps))
    extra = max(0.0, costs.watched - costs.bare)
    total = costs.first + readings * (costs.later + extra) + steps * costs.logged
    print(
        f"\n### GPT-2 small's shape, {layers} layers, {million:.0f} M parameters, batch {batch}, {device}\n"
    )
    print("| part | time |")
    print("|---|---|")
    print(f"| bare step | {costs.bare * 1e3:.0f} ms |")
    print(f"| grokscope: logged step adds | {costs.logged * 1e6:.1f} µs |")
    print(f"| watched step adds (gradients and updates, at due steps) | {extra * 1e3:.0f} ms |")
    print(f"| evaluation of both splits, the first with every spectrum | {costs.first * 1e3:.0f} ms |")
    print(f"| evaluation of both splits, later | {costs.later * 1e3:.0f} ms |")
    shares = {"grokscope": total} | {name: readings * seconds for name, seconds in others.items()}
    for name, seconds in others.items():
        print(f"| {name}: a reading adds | {seconds * 1e3:.0f} ms |")
    for name, seconds in shares.items():
        share = 100 * seconds / (steps * costs.bare)
        print(f"| {name}: all of it over {steps:,} steps, {readings} readings | {share:.2f} % |")
    print("| and grokscope's costly measures, as far as the budget lets them | at most 2 % in all |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="0 leaves the demo's MLP out")
    parser.add_argument("--steps", type=int, default=2500, help="of the demo's MLP")
    parser.add_argument("--gpt2-layers", type=int, default=12, help="0 leaves that part out")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # other people's, of no interest to a table
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    try:
        if options.rounds:
            bench_demo(options.rounds, options.steps)
        if options.gpt2_layers:
            bench_gpt2(options.gpt2_layers, "cuda" if torch.cuda.is_available() else "cpu")
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
