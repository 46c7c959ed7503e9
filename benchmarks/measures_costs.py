"""Time every instrument on two reference models: writes measures_costs.json, for the page of measures.

    python benchmarks/measures_costs.py [--rounds 5] && make measures

Costs are medians of the processor time of one thread; the model's own training step is timed too.
"""

import argparse
import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.measures import (
    Instrument,
    StepContext,
    attention_heads,
    everything,
    modular_addition,
    repeated_tokens,
)
from grokscope.collectors.measures.outputs.curves import curve_measures
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.schemas import METRICS, Tier, find_metric

COSTS = Path(__file__).with_suffix(".json")
Step = Callable[[], Iterable[str]]
"""What is timed; it returns the keys that it gave."""


@dataclass(kw_only=True)
class Model:
    """One reference model in training, and what measuring it costs."""

    name: str
    model: nn.Module
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    tiers: frozenset[Tier]
    more: tuple[Instrument, ...] = ()
    costs: dict[str, float] = field(default_factory=dict)
    step_ms: float = 0.0


def reference_models() -> list[Model]:
    torch.manual_seed(0)
    train, test = operation_table("x+y", 47, 0.5, 0)
    config = GPT2Config(
        n_layer=2,
        vocab_size=8192,
        n_positions=128,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )
    tokens = torch.randint(0, 8192, (8, 129))
    return [
        Model(
            name="demo MLP",
            model=PairsMLP(47, 48, 128),
            train=train,
            test=test,
            tiers=frozenset(Tier),
            more=(modular_addition(p=47),),
        ),
        Model(
            name="GPT-2 width, 2 layers",
            model=GPT2LMHeadModel(config),
            train=(tokens[:4, :-1], tokens[:4, 1:]),
            test=(tokens[4:, :-1], tokens[4:, 1:]),
            tiers=frozenset({Tier.FREE, Tier.CHEAP}),
            more=(attention_heads(tokens=repeated_tokens(8192, sequences=4, length=128)),),
        ),
    ]


def median_ms(read: Step, rounds: int, *, warm: bool = True) -> tuple[float, Iterable[str]]:
    """Return the median milliseconds that ``read`` computes, after one to warm up, and its keys."""
    seconds, keys = [], set(read() if warm else ())
    for _ in range(rounds):
        began = time.process_time()  # a shared machine's wall clock tells what the neighbours do
        keys |= set(read())
        seconds.append(time.process_time() - began)
    return statistics.median(seconds) * 1e3, keys


def measure_costs(one: Model, rounds: int) -> None:
    optimizer = torch.optim.AdamW(one.model.parameters(), lr=1e-3, weight_decay=1.0)

    def step() -> dict[str, Tensor]:
        optimizer.zero_grad()
        output = one.model(one.train[0])
        logits = output if isinstance(output, Tensor) else output.logits
        cross_entropy(logits.flatten(0, -2), one.train[1].flatten()).backward()
        optimizer.step()
        return {}

    init = snapshot(one.model)
    step()
    splits = {"train": one.train, "test": one.test}
    passes = {name: forward_pass(one.model, data) for name, data in splits.items()}
    context = StepContext(
        step=0, model=one.model, optimizer=optimizer, init=init, splits=splits, passes=passes
    )
    test = passes["test"]
    timed = {
        "curves": lambda: [f"test/{q}" for q in curve_measures(test.logits, test.targets)],
        "norms": lambda: weight_measures(one.model, init=init, optimizer=optimizer, matrices=False),
        **{i.name: lambda i=i: i(context) for i in (*everything(), *one.more) if i.tier in one.tiers},
    }
    with preserved_state(one.model):
        for name, read in timed.items():
            # A window of updates gives its first value after as many evaluations as it is long.
            note(one, median_ms(read, 12 if name == "update_window" else rounds))
    measure_recorder(one, optimizer, step, rounds)


def measure_recorder(one: Model, optimizer: torch.optim.Optimizer, step: Step, rounds: int) -> None:
    """Time steps with and without the recorder in turn, for what it adds is small beside the step."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    is_due = [True]
    recorder = UpdateRecorder(one.model, optimizer, is_due=lambda: is_due[0])
    step()
    while len(taken[True]) < rounds or sum(taken[True]) < 1e3:
        for is_due[0], milliseconds in taken.items():
            milliseconds.append(median_ms(step, 1, warm=False)[0])
    bare, recorded = taken.values()
    one.step_ms = statistics.median(bare)
    note(one, (max(statistics.median(recorded) - one.step_ms, 0.0), recorder.pop()))


def note(one: Model, cost: tuple[float, Iterable[str]]) -> None:
    for key in cost[1]:
        row = find_metric(key)
        if row is not None:
            one.costs[row.key] = cost[0]


def record(one: Model) -> dict[str, object]:
    """Return the costs of a model in the order of the table, to two digits: they are good for no more."""
    in_order = {row.key: digits(one.costs[row.key]) for row in METRICS.values() if row.key in one.costs}
    return {"name": one.name, "step_ms": digits(one.step_ms), "costs_ms": in_order}


def digits(milliseconds: float) -> float:
    return float(f"{milliseconds:.2g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")  # other people's, of no interest to a page
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    models = reference_models()
    for one in models:
        measure_costs(one, rounds)
    text = json.dumps([record(one) for one in models], indent=2, ensure_ascii=False)
    COSTS.write_text(f"{text}\n")
    print(f"wrote {COSTS.name}")


if __name__ == "__main__":
    main()
