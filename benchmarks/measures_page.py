"""Write docs/measures.md: every row of the table of metrics, with what reading it costs.

    python benchmarks/measures_page.py [--rounds 5]

Costs are medians of the processor time of one thread, per reading; the model's own training step is told too.
"""

import argparse
import importlib
import inspect
import logging
import pkgutil
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from measures_formulas import FUNCTIONS, WRITTEN
from measures_timing import TIMING
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from grokscope.collectors import instruments, measure
from grokscope.collectors.evaluating.forward_pass import forward_pass
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.update_recorder import UpdateRecorder
from grokscope.collectors.evaluating.weights import snapshot, weight_measures
from grokscope.collectors.instruments import Instrument, Reading, attention_heads, everything, repeated_tokens
from grokscope.collectors.measure.curves import curve_measures
from grokscope.experiments.modular_addition import AdditionMLP, addition_table
from grokscope.schemas import METRICS, Tier, find_metric
from grokscope.schemas.metrics.row import CURVE, Metric

PAGE = Path(__file__).parents[1] / "docs" / "measures.md"
Step = Callable[[], Iterable[str]]
"""What is timed; it returns the keys that it gave."""

INTRODUCTION = """\
# Measures

Every row of the table of metrics, written by `python benchmarks/measures_page.py`. Tier 0 is read at every
evaluation, tiers 1 and 2 within the tracker's budget. A place may follow the key: a layer, a matrix, a head,
a split.

A cost is that of the whole reading that gives the row among others: median processor time of one thread, on
a shared machine good to a factor of two. `GPT-2 width, 2 layers` has GPT-2 small's width (768, 12 heads) with
2 of its 12 layers, 8,192 of its 50,257 tokens, and 512 tokens a batch; tier 2 was not measured on it. One
training step for comparison: {steps}.

"Around grokking" is the lead over test accuracy in units of the delay, the median over 7 seeds of the demo's
MLP at half of each measure's own change, known only in hindsight; what other sources claim is theirs.
"""


@dataclass(kw_only=True)
class Model:
    """One reference model in training, and what reading it costs."""

    name: str
    model: nn.Module
    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    tiers: frozenset[Tier]
    more: tuple[Instrument, ...] = ()
    costs: dict[tuple[str, str], float] = field(default_factory=dict)
    step_ms: float = 0.0


def reference_models() -> list[Model]:
    torch.manual_seed(0)
    train, test = addition_table(47, 0.5, 0)
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
            model=AdditionMLP(47, 48, 128),
            train=train,
            test=test,
            tiers=frozenset(Tier),
            more=(instruments.modular_addition(p=47),),
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
    """Return the median milliseconds that ``read`` computes, after a reading to warm up, and its keys."""
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
    reading = Reading(step=0, model=one.model, optimizer=optimizer, init=init, splits=splits, passes=passes)
    test = passes["test"]
    timed = {
        "curves": lambda: [f"test/{q}" for q in curve_measures(test.logits, test.targets)],
        "norms": lambda: weight_measures(one.model, init=init, optimizer=optimizer, matrices=False),
        **{i.name: lambda i=i: i(reading) for i in (*everything(), *one.more) if i.tier in one.tiers},
    }
    with preserved_state(one.model):
        for name, read in timed.items():
            # A window of updates gives its first value after as many readings as it is long.
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
            one.costs[row.family, row.quantity] = cost[0]


def formula(row: Metric) -> str:
    """Return the formula of a row: written out, or the indented lines of its function's docstring."""
    if (row.family, row.quantity) in WRITTEN:
        return WRITTEN[row.family, row.quantity].replace("|", "\\|")
    functions = {
        name: value
        for module in pkgutil.iter_modules(measure.__path__)
        for name, value in vars(importlib.import_module(f"{measure.__name__}.{module.name}")).items()
        if inspect.isfunction(value)
    }
    function = functions.get(FUNCTIONS.get((row.family, row.quantity), row.quantity))
    before = (inspect.getdoc(function) or "").partition("Args:")[0].splitlines()[1:] if function else []
    lines = [line.strip() for line in before if line.startswith("    ")]
    return " ".join(lines).replace("|", "\\|") or "—"


def _ms(value: float) -> str:
    """Return two digits, which is all that the figures are good for."""
    return f"{float(f'{value:.2g}'):g} ms"


def cells(row: Metric, models: list[Model]) -> list[str]:
    key = f"{'<split>' if row.family == CURVE else row.family}/{row.quantity}"
    costs = [one.costs.get((row.family, row.quantity)) for one in models]
    timing = TIMING.get((row.family, row.quantity), "—")
    shown = [_ms(ms) if ms is not None else "—" for ms in costs]
    return [
        f"`{key}`",
        row.label.replace("|", "\\|"),
        formula(row),
        row.unit,
        row.tier.value,
        *shown,
        timing,
        row.source,
    ]


def page(models: list[Model]) -> str:
    head = [
        "key",
        "what",
        "formula",
        "unit",
        "tier",
        *(one.name for one in models),
        "around grokking",
        "source",
    ]
    steps = "; ".join(f"{one.name}: {_ms(one.step_ms)}" for one in models)
    lines = [
        INTRODUCTION.format(steps=steps),
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(cells(row, models))} |" for row in METRICS.values()),
        "",
    ]
    return "\n".join(lines)


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
    PAGE.write_text(page(models))
    print(f"wrote {PAGE.name}: {len(METRICS)} rows")


if __name__ == "__main__":
    main()
