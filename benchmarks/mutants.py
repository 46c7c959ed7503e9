"""How many small faults the tests nearest to them notice: a seeded sample of mutants a room.

    make mutants ARGS="transitions --sample 150"

A room is a folder of code, as ``transitions``, ``collectors/recording`` or ``store``. Each mutant is one
change that cosmic-ray's operators make (``<`` to ``<=``, 1 to 2, ``and`` to ``or``, ...) at a place drawn
at random, outside of annotations, decorators and laboratories, in a copy of the repository. It is killed
when its nearest tests fail: the doctests of its module, the tests that import it, and those in the folder of
``tests`` that mirrors its own or, without one, its parent's; and, if those pass, the tests at the top of its
package. What survives is named with its change; what outlasts the time limit is counted as killed, by itself.
"""

import argparse
import ast
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("schemas", "collectors", "transitions", "experiments", "dashboard")
# What changes nothing, or breaks a module before any test could judge it: numbers are not to be shifted.
LEFT_OUT = ("NoOp", "RemoveDecorator", "ExceptionReplacer", "_BitOr", "_BitAnd", "_BitXor", "Shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the ``occurrence``-th place where ``operator`` applies in ``module``."""

    module: Path
    operator: str
    occurrence: int
    line: int
    column: int


def operators() -> Iterator[tuple[str, object]]:
    for name in operator_names():
        kind = get_operator(name)
        if not kind.arguments() and not any(word in name for word in LEFT_OUT):
            yield name, kind()


@cache
def left_out(source: str) -> frozenset[int]:
    """Return the lines of annotations and decorators: no test is about what a change there would do."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr | None] = [*getattr(node, "decorator_list", ())]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            parts.append(node.annotation)
        for part in filter(None, parts):
            found.update(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    return frozenset(found)


def mutants_of(module: Path) -> Iterator[Mutant]:
    source = module.read_text()
    tree = get_ast(source)
    for name, operator in operators():
        places = (place for node in ast_nodes(tree) for place in operator.mutation_positions(node))
        for occurrence, ((line, column), _) in enumerate(places):
            if line not in left_out(source):
                yield Mutant(module=module, operator=name, occurrence=occurrence, line=line, column=column)


def drawn(room: Path, count: int, seed: int) -> list[Mutant]:
    """Draw places first, then one of the mutants at each: an operator with many forms weighs no more."""
    by_place: dict[tuple[Path, int, int], list[Mutant]] = {}
    for module in sorted(room.rglob("*.py")):
        if "laboratory" in module.parts:
            continue  # what a family draws has no right value that a test could hold
        for mutant in mutants_of(module):
            by_place.setdefault((mutant.module, mutant.line, mutant.column), []).append(mutant)
    chance = random.Random(seed)
    places = chance.sample(sorted(by_place), min(count, len(by_place)))
    return [chance.choice(by_place[place]) for place in places]


@cache
def tests_naming(dotted: str) -> tuple[Path, ...]:
    files = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    return tuple(file.relative_to(REPOSITORY) for file in files if f"{dotted} import" in file.read_text())


def nearest(module: Path) -> list[Path]:
    """Return the module itself, for its doctests, and the tests that import it or lie where it would."""
    inside = module.relative_to(REPOSITORY)
    parts = inside.parts[inside.parts.index("grokscope") + 1 :]
    dotted = ".".join(("grokscope", *parts)).removesuffix(".py")
    mirrors = [Path("tests", *parts[:depth]) for depth in range(len(parts) - 1, 1, -1)]
    folder = [mirror for mirror in mirrors if (REPOSITORY / mirror).is_dir()][:1]
    # pytest runs them in this order and stops at the first that fails: those that import the module first.
    return [inside, *tests_naming(dotted), *folder]


def whole(module: Path) -> list[Path]:
    """Return the tests at the top of the room that the module is in."""
    room = module.relative_to(REPOSITORY).parts
    name = room[room.index("grokscope") + 1]
    return [test.relative_to(REPOSITORY) for test in sorted((REPOSITORY / "tests" / name).glob("test_*.py"))]


def judged(copy: Path, tests: Sequence[Path], *, limit_s: float) -> str:
    """Return whether the tests ``passed``, ``failed`` or outlasted their ``time limit``."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(copy / room) for room in ROOMS),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--doctest-modules"]
    run = subprocess.Popen(
        [*command, *map(str, tests)],
        cwd=copy,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "failed" if run.wait(limit_s) else "passed"
    except subprocess.TimeoutExpired:
        return "time limit"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def killed_by(mutant: Mutant, copy: Path, *, limit_s: float) -> str:
    """Return what notices it: ``nearest`` tests, the ``room``, the ``time limit``, or nothing: ``""``."""
    file = copy / mutant.module.relative_to(REPOSITORY)
    source = file.read_text()
    file.write_text(mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence) or source)
    try:
        for by, tests in (("nearest", nearest), ("room", whole)):
            outcome = judged(copy, tests(mutant.module), limit_s=limit_s)
            if outcome != "passed":
                return by if outcome == "failed" else outcome
        return ""
    finally:
        file.write_text(source)


def said(mutant: Mutant) -> str:
    source = mutant.module.read_text()
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence) or source
    lines = zip(source.splitlines(), changed.splitlines(), strict=False)
    before, after = next(((a, b) for a, b in lines if a != b), ("", ""))
    place = f"{mutant.module.relative_to(REPOSITORY)}:{mutant.line}"
    return f"{place}\n  - {before.strip()}\n  + {after.strip()}"


def copied(folder: Path) -> Path:
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
    return shutil.copytree(REPOSITORY, folder / "repository", ignore=ignored, symlinks=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("room")
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--limit", type=float, default=300, help="seconds for the tests of one mutant")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    top, _, rest = asked.room.partition("/")
    [package] = REPOSITORY.glob(f"*/grokscope/{top}")
    sample = drawn(package / rest, asked.sample, asked.seed)
    with contextlib.ExitStack() as stack:
        copies: SimpleQueue[Path] = SimpleQueue()
        for _ in range(asked.workers):
            copies.put(copied(Path(stack.enter_context(tempfile.TemporaryDirectory()))))

        def tried(mutant: Mutant) -> tuple[Mutant, str]:
            copy = copies.get()
            try:
                return mutant, killed_by(mutant, copy, limit_s=asked.limit)
            finally:
                copies.put(copy)

        counts = Counter[str]()
        with ThreadPoolExecutor(asked.workers) as pool:
            for mutant, by in pool.map(tried, sample):
                counts[by] += 1
                place = f"{mutant.module.relative_to(REPOSITORY)}:{mutant.line}"
                print(f"{by} {place}" if by else f"SURVIVED {said(mutant)}", flush=True)
    killed = len(sample) - counts[""]
    print(
        f"{asked.room}: {killed} of {len(sample)} killed, {counts['nearest']} of them by the nearest tests, "
        f"{counts['time limit']} by the time limit"
    )


if __name__ == "__main__":
    main()
