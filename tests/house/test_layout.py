"""Where files may lie and how long they may grow."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
PACKAGES = (
    "schemas",
    "collectors",
    "transitions",
    "interventions",
    "experiments",
    "store",
    "importing",
    "answers",
    "dashboard",
    "cli",
)
FOLDERS = (*ROOMS, "tests", "benchmarks", "examples")

FILES = sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py"))
SOURCES = [path for path in FILES if path.relative_to(REPOSITORY).parts[0] != "tests"]


def functions(path):
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function):
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def positional(function):
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def where(path, function):
    return f"{path.relative_to(REPOSITORY)}:{function.lineno} {function.name}"


def test_every_part_of_the_namespace_is_there_and_typed():
    found = {path.parent.name for room in ROOMS for path in (REPOSITORY / room).glob("grokscope/*/py.typed")}
    assert found == set(PACKAGES)


def test_no_file_hides_the_other_parts_of_the_namespace():
    assert list(REPOSITORY.glob("*/grokscope/__init__.py")) == []


def test_every_folder_of_code_is_a_package():
    folders = {path.parent for path in SOURCES if "grokscope" in path.relative_to(REPOSITORY).parts}
    missing = [str(f.relative_to(REPOSITORY)) for f in folders if not (f / "__init__.py").exists()]
    assert missing == []


def test_no_file_is_longer_than_300_lines():
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_no_function_of_the_packages_has_a_body_longer_than_30_lines():
    assert [where(p, f) for p in SOURCES for f in functions(p) if body_lines(f) > 30] == []


def test_no_function_of_the_packages_takes_more_than_5_arguments_by_position():
    assert [where(p, f) for p in SOURCES for f in functions(p) if positional(f) > 5] == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X"])
def test_nothing_is_left_for_later(word):
    assert [str(path.relative_to(REPOSITORY)) for path in FILES if word in path.read_text()] == []


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "common", "misc", "manager"}
    assert [str(path.relative_to(REPOSITORY)) for path in FILES if path.stem in drawers] == []


def test_lines_and_arguments_are_counted_as_said(tmp_path):
    path = tmp_path / "counted.py"
    path.write_text(
        "class A:\n    def f(self, a, b, /, c, *, d):\n        'One.'\n        x = 1\n\n        return x\n"
    )
    [function] = functions(path)
    assert (body_lines(function), positional(function)) == (3, 3)
