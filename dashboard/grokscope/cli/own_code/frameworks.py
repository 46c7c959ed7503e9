"""Which framework a program trains with, where its lines belong, and what it calls things."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from grokscope.cli.own_code.snippets import SNIPPETS, Anchor, Framework
from grokscope.cli.own_code.syntax import Call, Program, dotted

_HELD_OUT = ("test", "val", "dev", "held_out", "holdout", "eval")
_LOGS_WANDB = frozenset({"wandb.init", "wandb.log"})
_LOGS_MLFLOW = frozenset({"mlflow.start_run", "mlflow.log_metric", "mlflow.log_metrics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A framework in a program.

    Attributes:
        framework: Which.
        lines: Where lines belong: the number of the line that an anchor speaks of, where it is known.
        names: What the program calls what the snippet names.
        is_followed: Whether the program imports grokscope already.
    """

    framework: Framework
    lines: Mapping[Anchor, int]
    names: Mapping[str, str]
    is_followed: bool


def spots(program: Program) -> list[Spot]:
    r"""Return the frameworks of a program, the one to begin with first.

    >>> from grokscope.cli.own_code.syntax import read_program
    >>> found = spots(read_program("import torch\nfor x in xs:\n    loss.backward()\n    adam.step()"))
    >>> [(spot.framework.value, spot.lines[Anchor.STEP]) for spot in found]
    [('tensors', 4)]
    """
    found: list[Spot] = []
    for framework, is_sign in _SIGNS.items():
        call = next((call for call in program.calls if is_sign(program, call)), None)
        # A program has one loop: what it trains with tells more than that it is one of torch's.
        if call is not None and not (found and framework in (Framework.LOADER, Framework.TENSORS)):
            found.append(_spot(framework, program, call))
    return found


def _spot(framework: Framework, program: Program, call: Call) -> Spot:
    lines = {Anchor.IMPORTS: program.last_import}
    anchors = SNIPPETS[framework].anchors
    if Anchor.LOOP in anchors:
        lines |= _of_loop(program, call)
    elif framework is Framework.WANDB:
        lines[Anchor.INSTEAD] = _import_of(program, "wandb")
    else:
        lines |= dict.fromkeys((Anchor.CALL, Anchor.ARGUMENT, Anchor.RUN), call.node.lineno)
    names = _names(program, call) if Anchor.LOOP in anchors else {}
    known = SNIPPETS[framework].names
    return Spot(
        framework=framework,
        lines=MappingProxyType({anchor: line for anchor, line in lines.items() if anchor in anchors}),
        names=MappingProxyType({key: name for key, name in (names | _data(program)).items() if key in known}),
        is_followed="grokscope" in program.modules,
    )


def _of_loop(program: Program, backward: Call) -> dict[Anchor, int]:
    loops = backward.loops
    steps = [
        c for c in program.calls if c.method == "step" and c.loops == loops and "sched" not in c.receiver
    ]
    last = max(((c.node.end_lineno or c.node.lineno) for c in (*steps, backward)), default=0)
    return {Anchor.STEP: last} | ({Anchor.LOOP: loops[0].lineno} if loops else {})


def _names(program: Program, backward: Call) -> dict[str, str]:
    """Return what a loop calls its model, optimizer, loss and step, as far as that can be read."""
    names: dict[str, str] = {}
    steps = [call for call in program.calls if call.method == "step"]
    # A scaler of gradients steps the optimizer that it is given.
    stepped = {name for call in steps for name in (call.receiver, *map(dotted, call.node.args))}
    for target, call in program.assigned:
        if target not in stepped:
            continue
        given = [one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call]
        owners = [dotted(one.func).rpartition(".parameters")[0] for one in given]
        if owner := next(filter(None, owners), None):
            names |= {"optimizer": target, "model": owner}
            break
    loss = backward.receiver if backward.method == "backward" else ""
    if loss == "accelerator" and backward.node.args:
        loss = dotted(backward.node.args[0])
    if loss.isidentifier():
        names["loss"] = loss
    if len(backward.loops) == 1 and (step := _counter(backward.loops[0])):
        names["step"] = step
    return names


def _counter(loop: ast.For | ast.While) -> str | None:
    """Return the name that counts the steps of a loop, if one does."""
    if not isinstance(loop, ast.For) or not isinstance(loop.iter, ast.Call):
        return None
    counted = dotted(loop.iter.func).rpartition(".")[2]
    if counted in ("range", "trange") and isinstance(loop.target, ast.Name):
        return loop.target.id
    if counted == "enumerate" and isinstance(loop.target, ast.Tuple):
        return dotted(loop.target.elts[0]) or None
    return None


def _data(program: Program) -> dict[str, str]:
    """Return what a program calls its loaders, or its data sets where it has no loaders."""
    for kind in ("DataLoader", "Dataset"):
        made = [name for name, call in program.assigned if dotted(call.func).endswith(kind)]
        held = [name for name in made if any(word in name.lower() for word in _HELD_OUT)]
        train = [name for name in made if name not in held]
        if made:
            names = {"test": held[:1], "train": train[:1], "batches": train[:1]}
            return {key: found[0] for key, found in names.items() if found}
    return {}


def _import_of(program: Program, module: str) -> int:
    """Return the line that imports a module, or a part of it."""
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [node.module or ""]
        else:
            continue
        if any(name.partition(".")[0] == module for name in named):
            return node.lineno
    return program.last_import


def _is_loop(program: Program, call: Call) -> bool:
    return call.method == "backward" and "torch" in program.modules


def _imports_wandb(program: Program, call: Call) -> bool:
    return "wandb" in program.modules and call.name in _LOGS_WANDB


_SIGNS: Mapping[Framework, Callable[[Program, Call], bool]] = MappingProxyType(
    {
        Framework.LIGHTNING: lambda program, call: (
            call.method == "Trainer" and bool({"lightning", "pytorch_lightning"} & program.modules)
        ),
        Framework.HUGGING_FACE: lambda program, call: (
            call.method.endswith("Trainer") and bool({"transformers", "trl"} & program.modules)
        ),
        Framework.KERAS: lambda program, call: (
            call.method == "fit" and bool({"keras", "tensorflow"} & program.modules)
        ),
        Framework.ACCELERATE: lambda program, call: (
            call.method == "backward" and "accelerate" in program.modules
        ),
        Framework.LOADER: lambda program, call: (
            _is_loop(program, call) and any(one.method.endswith("DataLoader") for one in program.calls)
        ),
        Framework.TENSORS: _is_loop,
        Framework.MLFLOW: lambda program, call: "mlflow" in program.modules and call.name in _LOGS_MLFLOW,
        Framework.WANDB: _imports_wandb,
    }
)
"""What shows a framework, the most particular first: a call of a program that imports it."""
