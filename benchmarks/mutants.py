"""How many small faults the tests nearest to them notice: a seeded sample of mutants a room.

    make mutants ARGS="transitions --sample 150"

A room is a folder of code, as ``transitions``, ``collectors/recording`` or ``store``. Each mutant is one
change that cosmic-ray's operators make (``<`` to ``<=``, 1 to 2, ``and`` to ``or``, ...) at a place drawn
at random, outside of annotations, decorators and laboratories, in a copy of the repository.

Its nearest tests are the doctests of its module, the tests that import it, and those in the folder of
``tests`` that mirrors its own or, without one, its parent's. Those of them that execute the changed line,
which coverage.py tells, run until one fails, the quickest first. The mutants that are left after that are
tried with all tests of the room and at the top of its package that execute the line, and then with the
nearest that do not: a process that was killed has told nothing. What survives is named with its change;
what outlasts the time limit is counted as killed, by itself. What each test executes is measured once and
kept in ``build/mutants``.
"""

import argparse
import ast
import compileall
import contextlib
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from covering import REPOSITORY, ROOMS, Coverage, Test, Tests

# What changes nothing, or breaks a module before any test could judge it: numbers are not to be shifted.
LEFT_OUT = ("NoOp", "RemoveDecorator", "ExceptionReplacer", "_BitOr", "_BitAnd", "_BitXor", "Shift")
# The tests that a mutant is tried with, one kind after the other.
KINDS = ("nearest", "room", "rest")


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
def tests_naming(module: str) -> tuple[Path, ...]:
    files = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    return tuple(file.relative_to(REPOSITORY) for file in files if f"{module} import" in file.read_text())


def dotted(module: Path) -> str:
    inside = module.relative_to(REPOSITORY).with_suffix("")
    return ".".join(inside.parts[1:])


def nearest(module: Path) -> list[Path]:
    """Return the module itself, for its doctests, and the tests that import it or lie where it would."""
    inside = module.relative_to(REPOSITORY)
    parts = inside.parts[inside.parts.index("grokscope") + 1 :]
    mirrors = [Path("tests", *parts[:depth]) for depth in range(len(parts) - 1, 1, -1)]
    folder = [mirror for mirror in mirrors if (REPOSITORY / mirror).is_dir()][:1]
    return [inside, *tests_naming(dotted(module)), *folder]


def whole(room: Path) -> list[Path]:
    """Return the tests at the top of the room's package, and those that mirror the room."""
    package, *_ = parts = room.parts[room.parts.index("grokscope") + 1 :]
    top = sorted((REPOSITORY / "tests" / package).glob("test_*.py"))
    return [*(test.relative_to(REPOSITORY) for test in top), Path("tests", *parts)]


@cache
def touched(source: str, line: int) -> range | None:
    """Return the lines of the innermost statement there; None if it runs when the module is imported."""
    inside, lines = False, range(line, line + 1)
    parts = [ast.parse(source).body]
    while parts:
        for node in parts.pop():
            if not node.lineno <= line <= (node.end_lineno or node.lineno):
                continue
            bodies = [body for _, body in ast.iter_fields(node) if isinstance(body, list) and body]
            bodies = [
                body for body in bodies if hasattr(body[0], "lineno") and not isinstance(body[0], ast.expr)
            ]
            below = min((body[0].lineno for body in bodies), default=(node.end_lineno or node.lineno) + 1)
            lines = range(node.lineno, max(below, node.lineno + 1))
            inside |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and line >= below
            parts += bodies
    return lines if inside else None


def executing(mutant: Mutant, tests: Sequence[Test]) -> list[Test]:
    """Return the tests that execute the line; if it runs at the import, all that use its module."""
    statement = touched(mutant.module.read_text(), mutant.line)
    module = str(mutant.module.relative_to(REPOSITORY))
    naming = tuple(f"{file}::" for file in tests_naming(dotted(mutant.module)))

    def executes(test: Test) -> bool:
        lines = test.lines.get(module, frozenset())
        if statement is None:
            return bool(lines) or test.name.startswith(naming)
        return not lines.isdisjoint(statement)

    return [test for test in tests if executes(test)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Runs tests against mutants of a room, in a copy of the repository."""

    tests: Tests
    coverage: Coverage
    budget_s: float

    def killed_by(self, mutant: Mutant, by: str) -> str:
        """Return the tests that notice it: ``by``, or the ``time limit``, or nothing: ``""``."""
        near = {test.name: test for test in self.coverage.of(nearest(mutant.module), self.tests)}
        covering = {test.name: test for test in executing(mutant, list(near.values()))}
        if by == "nearest":
            chosen = covering
        elif by == "room":
            files = whole(self.coverage.room)
            found = executing(mutant, self.coverage.of(files, self.tests))
            chosen = {test.name: test for test in found if test.name not in covering}
        else:
            chosen = {name: test for name, test in near.items() if name not in covering}
        outcome = self._judged(mutant, list(chosen.values()))
        return {"passed": "", "failed": by}.get(outcome, outcome)

    def _judged(self, mutant: Mutant, tests: Sequence[Test]) -> str:
        """Run the quickest of the tests that fit into the budget."""
        chosen: list[str] = []
        seconds = 0.0
        for test in sorted(tests, key=lambda test: test.seconds):
            seconds += test.seconds
            if seconds > self.budget_s:
                break
            chosen.append(test.name)
        if not chosen:
            return "passed"
        file = self.tests.copy / mutant.module.relative_to(REPOSITORY)
        source = file.read_text()
        file.write_text(mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence) or source)
        try:
            return self.tests.run(chosen, limit_s=180 + 6 * seconds)
        finally:
            file.write_text(source)


def said(mutant: Mutant) -> str:
    source = mutant.module.read_text()
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence) or source
    lines = zip(source.splitlines(), changed.splitlines(), strict=False)
    before, after = next(((a, b) for a, b in lines if a != b), ("", ""))
    return f"{place(mutant)}\n  - {before.strip()}\n  + {after.strip()}"


def copied(folder: Path) -> Path:
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "build")
    copy = shutil.copytree(REPOSITORY, folder / "repository", ignore=ignored, symlinks=True)
    for room in ROOMS:  # kept by content: a change within the same second is compiled anew
        compileall.compile_dir(copy / room, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return copy


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("room")
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="FILE:LINE", help="of the sample, the mutants there")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument(
        "--budget", type=float, default=120, help="seconds that the tests of a mutant take without it"
    )
    return parser.parse_args()


def place(mutant: Mutant) -> str:
    return f"{mutant.module.relative_to(REPOSITORY)}:{mutant.line}"


def results(sample: Sequence[Mutant], trials: Sequence[Trial]) -> Iterator[tuple[Mutant, str, bool]]:
    """Yield each mutant with what noticed it and whether that is final; those left come once more."""
    free: SimpleQueue[Trial] = SimpleQueue()
    for trial in trials:
        free.put(trial)

    def tried(by: str, mutant: Mutant) -> tuple[Mutant, str]:
        trial = free.get()
        try:
            return mutant, trial.killed_by(mutant, by)
        finally:
            free.put(trial)

    left = sample
    with ThreadPoolExecutor(len(trials)) as pool:
        for kind in KINDS:
            trying, left = left, []
            for mutant, by in pool.map(partial(tried, kind), trying):
                yield mutant, by, bool(by) or kind == KINDS[-1]
                left += [] if by else [mutant]


def main() -> None:
    asked = arguments()
    top, _, rest = asked.room.partition("/")
    [package] = REPOSITORY.glob(f"*/grokscope/{top}")
    sample = drawn(package / rest, asked.sample, asked.seed)
    sample = [mutant for mutant in sample if not asked.only or place(mutant) in asked.only]
    counts = Counter[str]()
    with contextlib.ExitStack() as stack:
        known = Coverage(package / rest)
        trials: list[Trial] = []
        for _ in range(asked.workers):
            tests = Tests(copied(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            stack.callback(tests.close)
            trials.append(Trial(tests=tests, coverage=known, budget_s=asked.budget))
        doctests = [module.relative_to(REPOSITORY) for module in (package / rest).rglob("*.py")]
        known.of(doctests, trials[0].tests)  # in one run
        for mutant, by, final in results(sample, trials):
            counts[by] += final
            told = f"{by} {place(mutant)}" if by else f"{'SURVIVED' if final else 'left'} {said(mutant)}"
            print(told, flush=True)
    killed = counts.total() - counts[""]
    told = ", ".join(f"{counts[by]} by {by}" for by in (*KINDS, "time limit"))
    print(f"{asked.room}: {killed} of {counts.total()} killed: {told}")


if __name__ == "__main__":
    main()
